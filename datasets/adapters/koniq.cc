// KonIQ-10k (Hosu, Lin, Sziranyi, Saupe, IEEE TIP 2020): image quality.
//
// Source page: https://database.mmsp-kn.de/koniq-10k-database.html. Licence: see the page. Tree:
// koniq10k_scores_and_distributions.csv with image_name, c1 ... c5, c_total, MOS, SD, MOS_zscore;
// 1024x768/<image_name>. Targets: votes (c1 to c5), MOS (1 to 5), MOS_zscore (0 to 100): say which. No official split
// in the file. Metric: SRCC.
#include "datasets/adapters/adapters.h"
#include "datasets/manifest.h"

namespace vise {
namespace {

const DatasetInfo kInfo{.name = "koniq",
                        .title = "KonIQ-10k (Hosu et al., TIP 2020)",
                        .folders = {"koniq10k", "KonIQ-10k", "koniq"},
                        .tree = "koniq10k/\n  koniq10k_scores_and_distributions.csv\n  1024x768/<image_name>.jpg",
                        .page = "https://database.mmsp-kn.de/koniq-10k-database.html",
                        .licence = "see the page",
                        .citation =
                            "V. Hosu, H. Lin, T. Sziranyi, D. Saupe. KonIQ-10k: An Ecologically Valid Database for "
                            "Deep Learning of Blind Image Quality Assessment. IEEE TIP 29, 2020."};

Dataset read(const DatasetRequest& request) {
  const std::string folder = existing_folder(request.root, {"1024x768", "512x384"});
  const ManifestPart part{request.root / "koniq10k_scores_and_distributions.csv", folder + '/', std::nullopt};
  Dataset dataset = read_manifest(std::span(&part, 1), request.root, kInfo.name, request.log);
  const std::vector<std::string> names{"c1", "c2", "c3", "c4", "c5"};
  std::vector<double> votes(dataset.size() * names.size());
  for (std::size_t k = 0; k < names.size(); ++k) {
    const auto counts = dataset.target(names[k]).rows();
    for (std::size_t i = 0; i < counts.size(); ++i) votes[i * names.size() + k] = counts[i];
  }
  dataset.targets.emplace("votes", Targets::from_distribution(std::move(votes), names));
  expect_count(dataset, request.log, "images", dataset.size(), 10073);
  drop_missing(dataset, request.log, folder);
  return dataset;
}

}  // namespace

void add_koniq(DatasetRegistry& registry) { registry.add(kInfo, read); }

}  // namespace vise
