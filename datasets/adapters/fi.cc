// FI, or DeepEmotion (You, Luo, Jin, Yang, "Building a Large Scale Dataset for Image Emotion Recognition", AAAI 2016).
//
// Source page: https://qzyou.github.io. Licence: not stated, research. Tree: emotion_dataset/<emotion>/<file>.jpg,
// eight emotions. 23,308 images officially (unverified); downloads from the hosts hold placeholders for deleted
// pictures, which are left out here: one user counts 23,185 without them. No official split (80/5/15 at random is
// usual). Metric: accuracy.
#include "datasets/adapters/adapters.h"
#include "datasets/dataset_registry.h"

namespace vise::datasets {
namespace {

const DatasetInfo kFi{
    .name = "fi",
    .title = "FI / DeepEmotion (You et al., AAAI 2016)",
    .folders = {"FI", "fi", "DeepEmotion", "emotion_dataset"},
    .tree =
        "FI/\n  emotion_dataset/<emotion>/<file>.jpg     emotion: amusement, anger, awe, contentment, "
        "disgust, excitement, fear, sadness",
    .page = "https://qzyou.github.io",
    .licence = "not stated: research",
    .citation =
        "Q. You, J. Luo, H. Jin, J. Yang. Building a Large Scale Dataset for Image Emotion "
        "Recognition: The Fine Print and the Benchmark. AAAI 2016."};

Dataset read_fi(const DatasetRequest& request) {
  const bool inside = request.has_folder("emotion_dataset");
  Dataset dataset = read_class_tree(
      request, kFi.name,
      {.images = inside ? "emotion_dataset" : "",
       .classes = {"amusement", "anger", "awe", "contentment", "disgust", "excitement", "fear", "sadness"}});
  // Placeholders go first: the known count is that of the images without them.
  drop_placeholders(dataset, request.log);
  expect_count(dataset, request.log, "images", dataset.size(), 23185);
  return dataset;
}

}  // namespace

void add_fi(DatasetRegistry& registry) { registry.add(kFi, read_fi); }

}  // namespace vise::datasets
