// ArtPhoto (Machajdik, Hanbury, "Affective Image Classification using Features inspired by Psychology and Art Theory",
// ACM Multimedia 2010).
//
// Source page: https://www.imageemotion.org. Licence: not stated, research. Tree: flat testImages_artphoto/
// <emotion>_<nnnn>.jpg, 806 files; the class is the text before '_'. Classes: amusement anger awe contentment disgust
// excitement fear sad (here sadness). No official split: 5-fold cross-validation. Metric: accuracy.
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "datasets/adapters/adapters.h"
#include "datasets/dataset_registry.h"
#include "datasets/tree.h"

namespace vise::datasets {
namespace {

const DatasetInfo kArtphoto{.name = "artphoto",
                            .title = "ArtPhoto (Machajdik & Hanbury, ACM MM 2010)",
                            .folders = {"testImages_artphoto", "ArtPhoto", "artphoto"},
                            .tree =
                                "testImages_artphoto/\n  <emotion>_<nnnn>.jpg     emotion: amusement, anger, awe, "
                                "contentment, disgust, excitement, fear, sad",
                            .page = "https://www.imageemotion.org",
                            .licence = "not stated: research",
                            .citation =
                                "J. Machajdik, A. Hanbury. Affective Image Classification using Features inspired by "
                                "Psychology and Art Theory. ACM Multimedia 2010."};

std::string emotion_of(const std::string& id) {
  const std::string name = id.substr(id.rfind('/') + 1);
  const std::string word = lower(name.substr(0, name.find('_')));
  return word == "sad" ? "sadness" : word;
}

Dataset read_artphoto(const DatasetRequest& request) {
  Dataset dataset = new_dataset(request, kArtphoto.name);
  dataset.ids = request.list("").images;
  std::vector<std::string> labels;
  for (const std::string& id : dataset.ids) {
    // Without this check a file like cover.jpg would be of the class "cover.jpg", and the error would name a class, not
    // a file.
    if (id.find('_', id.rfind('/') + 1) == std::string::npos)
      throw Error(ErrorKind::missing, fmt::format("{}: {} isn't called <emotion>_<number>", request.root.string(), id));
    labels.push_back(emotion_of(id));
  }
  if (labels.empty()) throw Error(ErrorKind::missing, fmt::format("{}: no image is in it", request.root.string()));
  dataset.targets.emplace("label", Targets::from_labels(labels, {"amusement", "anger", "awe", "contentment", "disgust",
                                                                 "excitement", "fear", "sadness"}));
  expect_count(dataset, request.log, "images", dataset.size(), 806);
  return dataset;
}

}  // namespace

void add_artphoto(DatasetRegistry& registry) { registry.add(kArtphoto, read_artphoto); }

}  // namespace vise::datasets
