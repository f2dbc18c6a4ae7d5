// CUB-200-2011 (Wah, Branson, Welinder, Perona, Belongie, Caltech 2011): 200 kinds of birds.
//
// Source page: https://www.vision.caltech.edu/datasets/cub_200_2011. Licence: non-commercial research. Tree: images.txt
// "id path", image_class_labels.txt "id class (1 to 200)", train_test_split.txt "id is_train", classes.txt "class
// name", images/<class>/<file>.jpg. 11,788 images, 5,994 train and 5,794 test, no official val. Metric: top-1 accuracy.
// Some files are greyscale.
#include <fmt/format.h>

#include <map>

#include "base/error.h"
#include "base/text.h"
#include "datasets/adapters/adapters.h"
#include "datasets/dataset_registry.h"

namespace vise::datasets {
namespace {

const DatasetInfo kCub{.name = "cub",
                       .title = "Caltech-UCSD Birds-200-2011",
                       .folders = {"CUB_200_2011", "CUB-200-2011", "CUB", "cub"},
                       .tree =
                           "CUB_200_2011/\n  images.txt, image_class_labels.txt, train_test_split.txt, classes.txt\n"
                           "  images/<class>/<file>.jpg",
                       .page = "https://www.vision.caltech.edu/datasets/cub_200_2011",
                       .licence = "non-commercial research",
                       .citation =
                           "C. Wah, S. Branson, P. Welinder, P. Perona, S. Belongie. The Caltech-UCSD "
                           "Birds-200-2011 Dataset. CNS-TR-2011-001, 2011."};

// "id word" lines by id.
std::map<std::string, std::string> by_id(const Path& path) {
  std::map<std::string, std::string> words;
  for (auto& row : blank_separated(path, 2)) words[row[0]] = std::move(row[1]);
  return words;
}

// `file` is named where the id has no line in it.
const std::string& word_of(const std::map<std::string, std::string>& words, const std::string& id, const char* file) {
  const auto found = words.find(id);
  if (found == words.end()) throw Error(ErrorKind::input, fmt::format("{}: has no line for image {}", file, id));
  return found->second;
}

Dataset read_cub(const DatasetRequest& request) {
  Dataset dataset = new_dataset(request, kCub.name);
  const auto labels = by_id(request.root / "image_class_labels.txt"),
             train = by_id(request.root / "train_test_split.txt");
  std::vector<std::string> names, label_names;
  std::map<std::string, std::string> name_of;
  for (const auto& row : blank_separated(request.root / "classes.txt", 2)) {
    names.push_back(row[1]);
    // Files are joined by their ids: that their lines are in one order isn't promised.
    name_of[row[0]] = row[1];
  }
  std::vector<Part> parts;
  for (const auto& row : blank_separated(request.root / "images.txt", 2)) {
    dataset.ids.push_back("images/" + row[1]);
    label_names.push_back(word_of(name_of, word_of(labels, row[0], "image_class_labels.txt"), "classes.txt"));
    parts.push_back(word_of(train, row[0], "train_test_split.txt") == "1" ? Part::train : Part::test);
  }
  dataset.targets.emplace("label", Targets::from_labels(label_names, std::move(names)));
  dataset.official = Split(std::move(parts), "official");
  expect_count(dataset, request.log, "training images", dataset.official->count(Part::train), 5994);
  expect_count(dataset, request.log, "test images", dataset.official->count(Part::test), 5794);
  drop_missing(dataset, request.log, "images");
  return dataset;
}

}  // namespace

void add_cub(DatasetRegistry& registry) { registry.add(kCub, read_cub); }

}  // namespace vise::datasets
