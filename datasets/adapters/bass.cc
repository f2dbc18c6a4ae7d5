// BASS: Bicolor Affective Silhouettes and Shapes (Kawai, Lukacs, Ansorge, Behavior Research Methods 2021).
//
// Source page: https://github.com/gasparl/BASS. Licence: CC BY 4.0. Tree: BASS_data.csv, a row an image;
// images/<file>.png. 583 images. Targets: every column of numbers under its own name, and valence and arousal, the
// means of US raters (1 to 9). No official split. Metrics: R2, Pearson. Defect: numbers with blanks behind them.
#include "datasets/adapters/adapters.h"
#include "datasets/dataset_registry.h"
#include "datasets/manifest.h"
#include "datasets/manifest_part.h"

namespace vise::datasets {
namespace {

const DatasetInfo kBass{.name = "bass",
                        .title = "Bicolor Affective Silhouettes and Shapes (Kawai et al., 2021)",
                        .folders = {"bass", "BASS"},
                        .tree = "bass/\n  BASS_data.csv\n  images/<file>.png",
                        .page = "https://github.com/gasparl/BASS",
                        .licence = "CC BY 4.0",
                        .citation =
                            "C. Kawai, G. Lukacs, U. Ansorge. A new type of pictorial database: The Bicolor "
                            "Affective Silhouettes and Shapes (BASS). Behavior Research Methods, 2021."};

Dataset read_bass(const DatasetRequest& request) {
  const ManifestPart part{request.root / "BASS_data.csv", "images/", std::nullopt};
  Dataset dataset = read_manifest(std::span(&part, 1), request.root, kBass.name, request.log, {}, request.container());
  // The means of US raters also get the plain names under which other data sets have them; their own names stay.
  const auto rename = [&](const std::string& column, const std::string& name) {
    const auto rows = numbers_of(dataset, column, part.table);
    dataset.targets.emplace(name, Targets::from_values({rows.begin(), rows.end()}, {name}));
  };
  rename("val_mean_us", "valence");
  rename("aro_mean_us", "arousal");
  expect_count(dataset, request.log, "images", dataset.size(), 583);
  return dataset;
}

}  // namespace

void add_bass(DatasetRegistry& registry) { registry.add(kBass, read_bass); }

}  // namespace vise::datasets
