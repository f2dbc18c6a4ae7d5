// EmoSet-118K (Yang, Huang, Wu, Ding, et al., ICCV 2023).
//
// Source page: https://vcc.tech/EmoSet. Licence: code MIT; images: ask the page. Tree: train.json, val.json, test.json,
// each an array of [emotion, image path, annotation path] (first release) or [emotion, id, image path, annotation
// path]; image/<emotion>/*.jpg, annotation/<emotion>/*.json. Classes in their own order, not the alphabet's. 118,102
// images. Targets: label; polarity (the first four emotions are positive). Metric: accuracy. The annotation files are
// not read.
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/json.h"
#include "datasets/adapters/adapters.h"

namespace vise {
namespace {

const DatasetInfo kInfo{.name = "emoset",
                        .title = "EmoSet-118K (Yang et al., ICCV 2023)",
                        .folders = {"EmoSet-118K", "EmoSet", "emoset"},
                        .tree = "EmoSet-118K/\n  train.json, val.json, test.json\n  image/<emotion>/<file>.jpg",
                        .page = "https://vcc.tech/EmoSet",
                        .licence = "images: see the page",
                        .citation =
                            "J. Yang, Q. Huang, T. Ding, D. Lischinski, D. Cohen-Or, H. Huang. EmoSet: A Large-scale "
                            "Visual Emotion Dataset with Rich Attributes. ICCV 2023."};

struct Row {
  std::string emotion, image;
};

Row row_of(const Json& json, const std::string& file, std::size_t number) {
  const bool good =
      json.is_array() && (json.size() == 3 || json.size() == 4) &&
      std::all_of(json.begin(), json.end(), [](const Json& j) { return j.is_string() || j.is_number(); }) &&
      json.front().is_string() && json[json.size() - 2].is_string();
  if (!good)
    throw Error(ErrorKind::input, fmt::format("{}: entry {} is not [emotion, (id,) image, annotation]", file, number));
  return {json.front().get<std::string>(), json[json.size() - 2].get<std::string>()};
}

Dataset read(const DatasetRequest& request) {
  Dataset dataset = new_dataset(request, kInfo.name);
  std::vector<std::string> labels;
  std::vector<Part> parts;
  for (const Part part : {Part::train, Part::val, Part::test}) {
    const Path path = request.root / fmt::format("{}.json", part_name(part));
    const Json rows = read_json(path);
    if (!rows.is_array()) throw Error(ErrorKind::input, fmt::format("{}: is not an array", path.string()));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      Row row = row_of(rows[i], path.string(), i + 1);
      labels.push_back(std::move(row.emotion));
      dataset.ids.push_back(std::move(row.image));
      parts.push_back(part);
    }
  }
  dataset.targets.emplace("label", Targets::from_labels(labels, {"amusement", "awe", "contentment", "excitement",
                                                                 "anger", "disgust", "fear", "sadness"}));
  std::vector<int> polarity;
  for (const int k : dataset.target("label").classes()) polarity.push_back(k < 4 ? 1 : 0);
  dataset.targets.emplace("polarity", Targets::from_classes(std::move(polarity), {"negative", "positive"}));
  dataset.official = Split(std::move(parts), "official");
  expect_count(dataset, request.log, "images", dataset.size(), 118102);
  drop_missing(dataset, request.log, "image");
  return dataset;
}

}  // namespace

void add_emoset(DatasetRegistry& registry) { registry.add(kInfo, read); }

}  // namespace vise
