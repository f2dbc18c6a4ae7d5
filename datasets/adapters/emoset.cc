// EmoSet-118K (Yang, Huang, Wu, Ding, et al., ICCV 2023).
//
// Source page: https://vcc.tech/EmoSet. Licence: code MIT; images: ask the page. Tree: train.json, val.json, test.json,
// each an array of [emotion, image path, annotation path] (first release) or [emotion, id, image path, annotation
// path]; image/<emotion>/*.jpg, annotation/<emotion>/*.json. Classes in their own order, not the alphabet's. 118,102
// images. Targets: label; polarity (the first four emotions are positive); and where annotation/ is there, its
// attributes: brightness and colorfulness (0 to 1 in steps of 0.1, as texts in the first release), scene,
// facial_expression and human_action (classes), object (multi-label: what is named is 1, what isn't 0, unknown where
// the key is missing; no such target where no image names any). A missing key is no label. Metric: accuracy.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <map>
#include <optional>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "base/threads.h"
#include "datasets/adapters/adapters.h"
#include "datasets/dataset_registry.h"

namespace vise::datasets {
namespace {

const DatasetInfo kEmoset{.name = "emoset",
                          .title = "EmoSet-118K (Yang et al., ICCV 2023)",
                          .folders = {"EmoSet-118K", "EmoSet", "emoset"},
                          .tree =
                              "EmoSet-118K/\n  train.json, val.json, test.json\n  image/<emotion>/<file>.jpg\n  "
                              "annotation/<emotion>/<file>.json    for its attributes",
                          .page = "https://vcc.tech/EmoSet",
                          .licence = "images: see the page",
                          .citation =
                              "J. Yang, Q. Huang, T. Ding, D. Lischinski, D. Cohen-Or, H. Huang. EmoSet: A Large-scale "
                              "Visual Emotion Dataset with Rich Attributes. ICCV 2023."};

// An entry of train.json, val.json or test.json: paths are relative to the data set's root.
struct Row {
  std::string emotion, image, annotation;
};

Row row_of(const Json& json, const std::string& file, std::size_t number) {
  // Both releases end with image and annotation, so these are counted from the end; the id between them isn't needed.
  const bool good =
      json.is_array() && (json.size() == 3 || json.size() == 4) &&
      std::all_of(json.begin(), json.end(), [](const Json& j) { return j.is_string() || j.is_number(); }) &&
      json.front().is_string() && json[json.size() - 2].is_string() && json.back().is_string();
  if (!good)
    throw Error(ErrorKind::input, fmt::format("{}: entry {} is not [emotion, (id,) image, annotation]", file, number));
  return {json.front().get<std::string>(), json[json.size() - 2].get<std::string>(), json.back().get<std::string>()};
}

const std::vector<std::string> kNumbers{"brightness", "colorfulness"};
const std::vector<std::string> kClasses{"scene", "facial_expression", "human_action"};

// What an image's annotation file says, by key; a key that is missing or empty is unknown.
struct Attributes {
  std::map<std::string, double> numbers;
  std::map<std::string, std::string> texts;  // of every key of kClasses, "" where unknown
  std::optional<std::vector<std::string>> objects;
};

// One release writes numbers as texts, the other as numbers. Both are texts first, so that one parser decides what is a number.
std::string plain_text(const Json& value, const std::string& file, const std::string& key) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number()) return number(value.get<double>());
  throw Error(ErrorKind::input, fmt::format("{}: '{}' is neither a text nor a number", file, key));
}

Attributes read_attributes(const Path& path) {
  // An annotation is small: beyond 1 MiB the file is something else.
  const Json json = read_json(path, 1 << 20);
  if (!json.is_object()) throw Error(ErrorKind::input, fmt::format("{}: is not a JSON object", path.string()));
  Attributes attributes;
  const auto text_at = [&](const std::string& key) {
    return json.contains(key) && !json[key].is_null() ? plain_text(json[key], path.string(), key) : std::string();
  };
  for (const std::string& key : kClasses) attributes.texts[key] = text_at(key);
  for (const std::string& key : kNumbers) {
    const std::string text = text_at(key);
    if (double value = 0; parse_double(text, value))
      attributes.numbers[key] = value;
    else if (!text.empty())
      throw Error(ErrorKind::input, fmt::format("{}: '{}' is '{}', not a number", path.string(), key, text));
  }
  if (!json.contains("object") || json["object"].is_null()) return attributes;
  attributes.objects.emplace();
  // A single object may come without a list around it.
  const Json objects = json["object"].is_array() ? json["object"] : Json::array({json["object"]});
  for (const Json& object : objects) attributes.objects->push_back(plain_text(object, path.string(), "object"));
  return attributes;
}

// 118,000 small files: read side by side.
std::vector<Attributes> read_all_attributes(const DatasetRequest& request, const std::vector<std::string>& files) {
  std::vector<Attributes> all(files.size());
  std::atomic<std::size_t> done = 0;
  parallel_for(available_cores(), files.size(), [&](std::size_t i) {
    all[i] = read_attributes(request.root / files[i]);
    request.log.progress("reading annotations", ++done, files.size());
  });
  return all;
}

// A column for each object that any image names. Rows: 1 named, 0 not named, -1 where the key is missing.
Targets objects_of(const std::vector<Attributes>& all) {
  // The map orders the names, so that columns don't depend on which image comes first.
  std::map<std::string, std::size_t> columns;
  for (const Attributes& one : all)
    if (one.objects)
      for (const std::string& object : *one.objects) columns.emplace(object, 0);
  std::vector<std::string> names;
  for (auto& [name, column] : columns) {
    column = names.size();
    names.push_back(name);
  }
  std::vector<std::int8_t> bits(all.size() * names.size(), -1);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!all[i].objects) continue;
    const auto row = bits.begin() + static_cast<std::ptrdiff_t>(i * names.size());
    std::fill_n(row, names.size(), std::int8_t{0});
    for (const std::string& object : *all[i].objects) row[static_cast<std::ptrdiff_t>(columns.at(object))] = 1;
  }
  return Targets::from_multi_label(std::move(bits), std::move(names));
}

void add_attributes(const std::vector<Attributes>& all, Dataset& dataset) {
  for (const std::string& key : kNumbers) {
    std::vector<double> values(all.size(), std::numeric_limits<double>::quiet_NaN());
    for (std::size_t i = 0; i < all.size(); ++i)
      if (const auto found = all[i].numbers.find(key); found != all[i].numbers.end()) values[i] = found->second;
    dataset.targets.emplace(key, Targets::from_values(std::move(values), {key}));
  }
  for (const std::string& key : kClasses) {
    std::vector<std::string> labels;
    for (const Attributes& one : all) labels.push_back(one.texts.at(key));
    dataset.targets.emplace(key, Targets::from_labels(labels));
  }
  const auto names_objects = [](const Attributes& one) { return one.objects && !one.objects->empty(); };
  // A target without a single positive could not be probed.
  if (std::any_of(all.begin(), all.end(), names_objects)) dataset.targets.emplace("object", objects_of(all));
}

Dataset read_emoset(const DatasetRequest& request) {
  Dataset dataset = new_dataset(request, kEmoset.name);
  std::vector<std::string> labels;
  std::vector<Part> parts;
  std::vector<std::string> annotations;
  for (const Part part : {Part::train, Part::val, Part::test}) {
    const Path path = request.root / fmt::format("{}.json", part_name(part));
    const Json rows = read_json(path);
    if (!rows.is_array()) throw Error(ErrorKind::input, fmt::format("{}: is not an array", path.string()));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      Row row = row_of(rows[i], path.string(), i + 1);
      labels.push_back(std::move(row.emotion));
      dataset.ids.push_back(std::move(row.image));
      annotations.push_back(std::move(row.annotation));
      parts.push_back(part);
    }
  }
  dataset.targets.emplace("label", Targets::from_labels(labels, {"amusement", "awe", "contentment", "excitement",
                                                                 "anger", "disgust", "fear", "sadness"}));
  std::vector<int> polarity;
  // The emotions' own order has the four positive ones first.
  for (const int k : dataset.target("label").classes()) polarity.push_back(k < 0 ? kNoClass : k < 4 ? 1 : 0);
  dataset.targets.emplace("polarity", Targets::from_classes(std::move(polarity), {"negative", "positive"}));
  if (std::filesystem::is_directory(request.root / "annotation"))
    add_attributes(read_all_attributes(request, annotations), dataset);
  dataset.official = Split(std::move(parts), "official");
  expect_count(dataset, request.log, "images", dataset.size(), 118102);
  drop_missing(dataset, request.log, "image");
  return dataset;
}

}  // namespace

void add_emoset(DatasetRegistry& registry) { registry.add(kEmoset, read_emoset); }

}  // namespace vise::datasets
