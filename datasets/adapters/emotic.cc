// EMOTIC (Kosti, Alvarez, Recasens, Lapedriza, "Context Based Emotion Recognition using EMOTIC Dataset", IEEE TPAMI
// 2019): people in natural scenes.
//
// Source page: https://github.com/rkosti/emotic (a form gives access). Licence: non-commercial research and education.
// Tree: Annotations.mat (also in Annotations/), structs train, val and test with filename, folder and person:
// body_bbox, annotations_categories (one struct an annotator) and, in val and test, combined_categories;
// annotations_continuous and combined_continuous (valence, arousal, dominance, 1 to 10). Images: <folder>/<filename>,
// where folder is framesdb/images, mscoco/images, ade20k/images or emodb_small/images; in one archive below emotic/.
// 23,571 images (unverified), 70/10/20. Metrics: mAP over 26 labels; for values the mean absolute error.
//
// The published task sees a person's box; an item here is a whole image: `labels` is what any of its people show,
// `valence`, `arousal` and `dominance` their means, and a note says so. Defects: "Disquitement" for Disquietment;
// frame_0cs63q843g5bdvq5.jpg was corrupt in one release; an image may be listed twice (its people are joined).
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>

#include "base/error.h"
#include "base/text.h"
#include "datasets/adapters/adapters.h"
#include "datasets/dataset_registry.h"
#include "datasets/mat.h"

namespace vise::datasets {
namespace {

const DatasetInfo kEmotic{.name = "emotic",
                          .title = "EMOTIC (Kosti et al., TPAMI 2019)",
                          .folders = {"emotic", "EMOTIC", "Emotic"},
                          .tree =
                              "emotic/\n  Annotations.mat                 or Annotations/Annotations.mat\n"
                              "  mscoco/images/<file>.jpg, framesdb/images/..., ade20k/images/..., "
                              "emodb_small/images/...",
                          .page = "https://github.com/rkosti/emotic",
                          .licence = "non-commercial research and education",
                          .citation =
                              "R. Kosti, J. M. Alvarez, A. Recasens, A. Lapedriza. Context Based Emotion Recognition "
                              "using EMOTIC Dataset. IEEE TPAMI, 2019."};

// Of these Annotations.mat spells one wrongly (label_index()).
const std::vector<std::string> kLabels{
    "Affection",     "Anger",        "Annoyance",       "Anticipation",  "Aversion",   "Confidence", "Disapproval",
    "Disconnection", "Disquietment", "Doubt/Confusion", "Embarrassment", "Engagement", "Esteem",     "Excitement",
    "Fatigue",       "Fear",         "Happiness",       "Pain",          "Peace",      "Pleasure",   "Sadness",
    "Sensitivity",   "Suffering",    "Surprise",        "Sympathy",      "Yearning"};
const std::vector<std::string> kValues{"valence", "arousal", "dominance"};

// One image: what its people show together.
struct Scene {
  std::vector<bool> shown = std::vector<bool>(kLabels.size(), false);
  std::array<double, 3> sums{};
  std::array<int, 3> counts{};
  Part part = Part::train;
};

std::size_t label_index(const std::string& name) {
  const std::string known = name == "Disquitement" ? "Disquietment" : name;
  const auto found = std::find(kLabels.begin(), kLabels.end(), known);
  if (found == kLabels.end())
    throw Error(ErrorKind::input, fmt::format("'{}' is not one of the 26 categories", name), suggest(name, kLabels));
  return static_cast<std::size_t>(found - kLabels.begin());
}

// A cell of texts, a single text, or structs whose field `categories` is such a cell.
void add_categories(const MatArray& array, Scene& scene) {
  if (array.kind == MatArray::Kind::text && !array.text.empty()) scene.shown[label_index(array.text)] = true;
  if (array.kind == MatArray::Kind::cells)
    for (const MatArray& item : array.items) add_categories(item, scene);
  for (std::size_t e = 0; array.kind == MatArray::Kind::structs && e < array.size(); ++e)
    if (const MatArray* categories = array.field("categories", e)) add_categories(*categories, scene);
}

// The mean of a person's annotators counts once.
void add_values(const MatArray& array, Scene& scene) {
  for (std::size_t k = 0; k < kValues.size(); ++k) {
    double sum = 0;
    int count = 0;
    for (std::size_t e = 0; e < array.size(); ++e) {
      const MatArray* value = array.field(kValues[k], e);
      if (!value || value->numbers.empty() || !std::isfinite(value->numbers[0])) continue;
      sum += value->numbers[0];
      ++count;
    }
    if (count == 0) continue;
    scene.sums[k] += sum / count;
    ++scene.counts[k];
  }
}

void add_people(const MatArray& people, Scene& scene) {
  for (std::size_t p = 0; p < people.size(); ++p) {
    const MatArray* combined = people.field("combined_categories", p);
    // Of several annotators the authors' own combination is taken where there is one.
    const MatArray* categories = combined ? combined : people.field("annotations_categories", p);
    if (categories) add_categories(*categories, scene);
    combined = people.field("combined_continuous", p);
    const MatArray* values = combined ? combined : people.field("annotations_continuous", p);
    if (values) add_values(*values, scene);
  }
}

using Scenes = std::map<std::string, Scene>;  // by id: items are in the order of their ids

// Returns how many images an earlier part has already.
std::size_t read_part(const MatArray& images, Part part, const std::string& below, Scenes& scenes) {
  std::size_t repeated = 0;
  for (std::size_t i = 0; i < images.size(); ++i) {
    const MatArray *file = images.field("filename", i), *folder = images.field("folder", i),
                   *people = images.field("person", i);
    if (!file || !folder || !people)
      throw Error(ErrorKind::input,
                  fmt::format("image {} of {} lacks filename, folder or person", i + 1, part_name(part)));
    const auto [place, is_new] = scenes.try_emplace(fmt::format("{}{}/{}", below, folder->text, file->text));
    // The first part that lists an image keeps it; otherwise its people would be in train and in test.
    if (is_new) place->second.part = part;
    if (place->second.part == part)
      add_people(*people, place->second);
    else
      ++repeated;
  }
  return repeated;
}

Path annotations_of(const Path& root) {
  for (const char* name : {"Annotations.mat", "Annotations/Annotations.mat", "annotations/Annotations.mat"})
    if (std::filesystem::exists(root / name)) return root / name;
  throw Error(ErrorKind::missing, fmt::format("{}: has no Annotations.mat", root.string()));
}

// Writes the scenes as rows, ordered by id as the map holds them.
void add_columns(const Scenes& scenes, Dataset& dataset) {
  std::vector<std::int8_t> bits;
  std::array<std::vector<double>, 3> values;
  std::vector<Part> parts;
  for (const auto& [id, scene] : scenes) {
    dataset.ids.push_back(id);
    parts.push_back(scene.part);
    for (const bool shown : scene.shown) bits.push_back(shown);
    for (std::size_t k = 0; k < values.size(); ++k)
      // NaN is an unknown value: nobody in the image was rated.
      values[k].push_back(scene.counts[k] > 0 ? scene.sums[k] / scene.counts[k]
                                              : std::numeric_limits<double>::quiet_NaN());
  }
  dataset.targets.emplace("labels", Targets::from_multi_label(std::move(bits), kLabels));
  for (std::size_t k = 0; k < values.size(); ++k)
    dataset.targets.emplace(kValues[k], Targets::from_values(std::move(values[k]), {kValues[k]}));
  dataset.official = Split(std::move(parts), "official");
}

Dataset read_emotic(const DatasetRequest& request) {
  Dataset dataset = new_dataset(request, kEmotic.name);
  const Path path = annotations_of(request.root);
  const std::string below = request.has_folder("emotic") ? "emotic/" : "";
  const MatFile file = MatFile::read(path);
  Scenes scenes;
  std::size_t repeated = 0;
  // Errors from inside name an image or a category; the file's name is added once, here.
  try {
    for (const Part part : {Part::train, Part::val, Part::test})
      repeated += read_part(file.variable(std::string(part_name(part))), part, below, scenes);
  } catch (const Error& error) {
    if (error.message().starts_with(path.string())) throw;
    throw Error(error.kind(), fmt::format("{}: {}", path.string(), error.message()), error.hint());
  }
  add_columns(scenes, dataset);
  dataset.notes.push_back("whole images, not people's boxes: labels of any person, means of their values");
  if (repeated > 0) {
    dataset.notes.push_back(
        fmt::format("{} images of val or test are in an earlier part as well and stay there", repeated));
    request.log.warn(fmt::format("{}: {}", dataset.name, dataset.notes.back()));
  }
  expect_count(dataset, request.log, "images", dataset.size(), 23571);
  drop_missing(dataset, request.log, "");
  return dataset;
}

}  // namespace

void add_emotic(DatasetRegistry& registry) { registry.add(kEmotic, read_emotic); }

}  // namespace vise::datasets
