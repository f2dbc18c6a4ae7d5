// OASIS (Kurdi, Lozano, Banaji, "Introducing the Open Affective Standardized Image Set", Behavior Research Methods
// 2017).
//
// Source page: https://www.benedekkurdi.com/#oasis. Licence: see the page (images under several). Tree: OASIS.csv with
// Theme, Valence_mean, Arousal_mean and more; images/<Theme>.jpg. 900 images, ratings 1 to 7. Targets: valence,
// arousal. No official split. Metrics: CCC, Pearson. Defect: themes with blanks behind them.
#include <fmt/format.h>

#include <cmath>

#include "base/error.h"
#include "base/text.h"
#include "datasets/adapters/adapters.h"
#include "datasets/cells.h"
#include "datasets/dataset_registry.h"
#include "datasets/open_rows.h"

namespace vise::datasets {
namespace {

const DatasetInfo kOasis{.name = "oasis",
                         .title = "OASIS (Kurdi et al., 2017)",
                         .folders = {"OASIS", "oasis"},
                         .tree = "OASIS/\n  OASIS.csv\n  images/<Theme>.jpg",
                         .page = "https://www.benedekkurdi.com/#oasis",
                         .licence = "see the page",
                         .citation =
                             "B. Kurdi, S. Lozano, M. R. Banaji. Introducing the Open Affective Standardized Image "
                             "Set (OASIS). Behavior Research Methods 49, 2017."};

Dataset read_oasis(const DatasetRequest& request) {
  Dataset dataset = new_dataset(request, kOasis.name);
  // Not read by read_manifest(): an id is made of a theme, which lacks the ending and may have blanks behind it.
  const Path path = request.root / "OASIS.csv";
  const auto rows = open_rows(path);
  const auto column = [&](const std::string& name) {
    for (std::size_t c = 0; c < rows->columns().size(); ++c)
      if (lower(rows->columns()[c]) == lower(name)) return c;
    throw Error(ErrorKind::input, fmt::format("{}: has no column '{}'", path.string(), name),
                suggest(name, rows->columns()));
  };
  const std::size_t theme = column("Theme"), valence = column("Valence_mean"), arousal = column("Arousal_mean");
  std::vector<double> valences, arousals;
  const auto mean = [&](std::size_t c) {
    double value = 0;
    // NaN is an unknown value. Any other text than a number is an error of the file.
    if (is_missing(rows->cells()[c])) return std::nan("");
    if (parse_double(rows->cells()[c], value)) return value;
    throw Error(ErrorKind::input,
                fmt::format("{}: line {}: '{}' is no number", path.string(), rows->row(), rows->cells()[c]));
  };
  while (rows->next()) {
    dataset.ids.push_back(fmt::format("images/{}.jpg", trim(rows->cells()[theme])));
    valences.push_back(mean(valence));
    arousals.push_back(mean(arousal));
  }
  dataset.targets.emplace("valence", Targets::from_values(std::move(valences), {"valence"}));
  dataset.targets.emplace("arousal", Targets::from_values(std::move(arousals), {"arousal"}));
  expect_count(dataset, request.log, "rows", dataset.size(), 900);
  drop_missing(dataset, request.log, "images");
  return dataset;
}

}  // namespace

void add_oasis(DatasetRegistry& registry) { registry.add(kOasis, read_oasis); }

}  // namespace vise::datasets
