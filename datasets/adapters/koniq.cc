// KonIQ-10k (Hosu, Lin, Sziranyi, Saupe, IEEE TIP 2020): image quality.
//
// Source page: https://database.mmsp-kn.de/koniq-10k-database.html. Licence: see the page. Tree:
// koniq10k_scores_and_distributions.csv with image_name, c1 ... c5 (counts), c_total, MOS (1 to 5), SD, MOS_zscore (0
// to 100), or the later koniq10k_distributions_sets.csv with image_name, c1 ... c5 (shares), MOS (0 to 100), SD, set
// (training, validation, test: the official split), read where the first isn't there; 1024x768/<image_name>. Targets:
// votes (c1 to c5) and every column of numbers: say which. Metric: SRCC.
#include <algorithm>

#include "datasets/adapters/adapters.h"
#include "datasets/data_columns.h"
#include "datasets/dataset_registry.h"
#include "datasets/manifest.h"
#include "datasets/manifest_part.h"

namespace vise::datasets {
namespace {

const DatasetInfo kKoniq{.name = "koniq",
                         .title = "KonIQ-10k (Hosu et al., TIP 2020)",
                         .folders = {"koniq10k", "KonIQ-10k", "koniq"},
                         .tree =
                             "koniq10k/\n  koniq10k_scores_and_distributions.csv or koniq10k_distributions_sets.csv\n  "
                             "1024x768/<image_name>.jpg",
                         .page = "https://database.mmsp-kn.de/koniq-10k-database.html",
                         .licence = "see the page",
                         .citation =
                             "V. Hosu, H. Lin, T. Sziranyi, D. Saupe. KonIQ-10k: An Ecologically Valid Database for "
                             "Deep Learning of Blind Image Quality Assessment. IEEE TIP 29, 2020."};

// Rows without a distribution have zeros.
Targets votes_of(const Dataset& dataset, const Path& table) {
  const std::vector<std::string> names{"c1", "c2", "c3", "c4", "c5"};
  std::vector<double> votes(dataset.size() * names.size());
  for (std::size_t k = 0; k < names.size(); ++k) {
    const auto counts = numbers_of(dataset, names[k], table);
    for (std::size_t i = 0; i < counts.size(); ++i) votes[i * names.size() + k] = counts[i];
  }
  for (std::size_t i = 0; i < dataset.size(); ++i) {
    const auto row = std::span(votes).subspan(i * names.size(), names.size());
    // A row with a missing or negative share has no distribution at all, rather than a part of one.
    if (std::any_of(row.begin(), row.end(), [](double v) { return !(v >= 0); })) std::fill(row.begin(), row.end(), 0.0);
  }
  return Targets::from_distribution(std::move(votes), names);
}

Dataset read_koniq(const DatasetRequest& request) {
  const std::string folder = existing_folder(request, {"1024x768", "512x384"});
  const Path scores = request.root / "koniq10k_scores_and_distributions.csv",
             sets = request.root / "koniq10k_distributions_sets.csv";
  // With neither file the first is asked for, so that the error names the one that was published first.
  const bool has_sets = !std::filesystem::exists(scores) && std::filesystem::exists(sets);
  const ManifestPart part{has_sets ? sets : scores, folder + '/', std::nullopt};
  const DataColumns columns{.path = "image_name", .label = {}, .split = has_sets ? "set" : "", .kind = {}};
  Dataset dataset =
      read_manifest(std::span(&part, 1), request.root, kKoniq.name, request.log, columns, request.container());
  dataset.targets.insert_or_assign("votes", votes_of(dataset, part.table));
  expect_count(dataset, request.log, "images", dataset.size(), 10073);
  drop_missing(dataset, request.log, folder);
  return dataset;
}

}  // namespace

void add_koniq(DatasetRegistry& registry) { registry.add(kKoniq, read_koniq); }

}  // namespace vise::datasets
