// LaMem (Khosla, Raju, Torralba, Oliva, "Understanding and Predicting Image Memorability at a Large Scale", ICCV 2015).
//
// Source page: http://memorability.csail.mit.edu. Licence: research. Tree: images/<file>,
// splits/{train,val,test}_{1..5}.txt, lines "file score". 58,741 images. Target: score. Five official splits; the first
// is `official`, each is an attribute split-1 ... split-5 of part names. Metric: Spearman's rho, mean over the five.
#include <fmt/format.h>

#include <array>
#include <map>

#include "base/error.h"
#include "base/text.h"
#include "datasets/adapters/adapters.h"
#include "datasets/dataset_registry.h"

namespace vise::datasets {
namespace {

const DatasetInfo kLamem{.name = "lamem",
                         .title = "LaMem (Khosla et al., ICCV 2015)",
                         .folders = {"lamem", "LaMem", "LaMem-images"},
                         .tree = "lamem/\n  splits/{train,val,test}_{1..5}.txt\n  images/<file>",
                         .page = "http://memorability.csail.mit.edu",
                         .licence = "research",
                         .citation =
                             "A. Khosla, A. S. Raju, A. Torralba, A. Oliva. Understanding and Predicting Image "
                             "Memorability at a Large Scale. ICCV 2015."};

// An image's score, and its part in each of the five splits; unused in a split that doesn't list it.
struct Item {
  double score = 0;
  std::array<Part, 5> parts{Part::unused, Part::unused, Part::unused, Part::unused, Part::unused};
};

std::map<std::string, Item> read_splits(const Path& folder) {
  std::map<std::string, Item> items;
  for (std::size_t s = 0; s < 5; ++s) {
    for (const Part part : {Part::train, Part::val, Part::test}) {
      const Path path = folder / fmt::format("{}_{}.txt", part_name(part), s + 1);
      for (const auto& row : blank_separated(path, 2)) {
        Item& item = items[row[0]];
        if (!parse_double(row[1], item.score))
          throw Error(ErrorKind::input, fmt::format("{}: the score of {} is no number", path.string(), row[0]));
        item.parts[s] = part;
      }
    }
  }
  return items;
}

Dataset read_lamem(const DatasetRequest& request) {
  Dataset dataset = new_dataset(request, kLamem.name);
  std::vector<double> scores;
  std::vector<Part> official;
  // Ordered by file name: the lists of the five splits have orders of their own.
  for (const auto& [name, item] : read_splits(request.root / "splits")) {
    dataset.ids.push_back("images/" + name);
    scores.push_back(item.score);
    official.push_back(item.parts[0]);
    for (std::size_t s = 0; s < 5; ++s)
      dataset.attributes[fmt::format("split-{}", s + 1)].emplace_back(part_name(item.parts[s]));
  }
  dataset.targets.emplace("score", Targets::from_values(std::move(scores), {"score"}));
  dataset.official = Split(std::move(official), "official (1 of 5)");
  expect_count(dataset, request.log, "images", dataset.size(), 58741);
  drop_missing(dataset, request.log, "images");
  return dataset;
}

}  // namespace

void add_lamem(DatasetRegistry& registry) { registry.add(kLamem, read_lamem); }

}  // namespace vise::datasets
