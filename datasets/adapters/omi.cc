// One Million Impressions (Peterson, Uddenberg, Griffiths, Todorov, Suchow, PNAS 2022): faces made by a network, and
// the impressions of their raters, which say nothing true about anyone.
//
// Source page: https://github.com/jcpeterson/omi. Licence: CC BY-NC-SA 4.0. Tree: attribute_means.csv, header stimulus
// and 34 attributes (0 to 100), 1,004 rows; images/<stimulus>.jpg. A table ratings.csv with a column path instead is
// read too. Targets: a value for each attribute. No official split. Metrics: R2, Pearson.
#include <fmt/format.h>

#include <limits>

#include "base/csv.h"
#include "base/error.h"
#include "base/text.h"
#include "datasets/adapters/adapters.h"
#include "datasets/cells.h"
#include "datasets/dataset_registry.h"
#include "datasets/manifest.h"
#include "datasets/manifest_part.h"

namespace vise::datasets {
namespace {

const DatasetInfo kOmi{.name = "omi",
                       .title = "One Million Impressions (Peterson et al., PNAS 2022)",
                       .folders = {"omi", "OMI", "omi300"},
                       .tree = "omi/\n  attribute_means.csv\n  images/<stimulus>.jpg",
                       .page = "https://github.com/jcpeterson/omi",
                       .licence = "CC BY-NC-SA 4.0",
                       .citation =
                           "J. C. Peterson, S. Uddenberg, T. L. Griffiths, A. Todorov, J. W. Suchow. Deep models of "
                           "superficial face judgments. PNAS 119(17), 2022."};

Dataset read_means(const DatasetRequest& request, const Path& path) {
  const CsvTable table = CsvTable::parse(read_text_file(path), path.string());
  const std::size_t stimulus = table.column("stimulus");
  Dataset dataset = new_dataset(request, kOmi.name);
  for (std::size_t r = 0; r < table.rows(); ++r)
    dataset.ids.push_back(fmt::format("images/{}.jpg", trim(table.cell(r, stimulus))));
  for (std::size_t c = 0; c < table.header().size(); ++c) {
    if (c == stimulus) continue;
    std::vector<double> means(table.rows(), std::numeric_limits<double>::quiet_NaN());
    const std::string& name = table.header()[c];
    // A missing cell stays NaN, unknown. A text that is no number is an error: it would be lost otherwise.
    for (std::size_t r = 0; r < table.rows(); ++r)
      if (!parse_double(table.cell(r, c), means[r]) && !is_missing(table.cell(r, c)))
        throw Error(ErrorKind::input,
                    fmt::format("{}: line {}: '{}' is no number", path.string(), table.line(r), table.cell(r, c)));
    if (!dataset.targets.emplace(name, Targets::from_values(std::move(means), {name})).second)
      throw Error(ErrorKind::input, fmt::format("{}: the column '{}' stands there twice", path.string(), name));
  }
  expect_count(dataset, request.log, "rows", dataset.size(), 1004);
  drop_missing(dataset, request.log, "images");
  return dataset;
}

Dataset read_omi(const DatasetRequest& request) {
  const Path means = request.root / "attribute_means.csv", ratings = request.root / "ratings.csv";
  // With neither table the published one is asked for, so that the error names it.
  if (std::filesystem::exists(means) || !std::filesystem::exists(ratings)) return read_means(request, means);
  const ManifestPart part{ratings, "", std::nullopt};
  Dataset dataset = read_manifest(std::span(&part, 1), request.root, kOmi.name, request.log, {}, request.container());
  expect_count(dataset, request.log, "rows", dataset.size(), 1004);
  return dataset;
}

}  // namespace

void add_omi(DatasetRegistry& registry) { registry.add(kOmi, read_omi); }

}  // namespace vise::datasets
