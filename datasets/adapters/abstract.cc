// Abstract (Machajdik, Hanbury, ACM Multimedia 2010): abstract paintings with votes for eight emotions.
//
// Source page: https://www.imageemotion.org. Licence: not stated, research. Tree:
// testImages_abstract/abstract_<nnnn>.jpg and ABSTRACT_groundTruth.csv, whose header and names stand in single quotes:
// 'abstract_0001.jpg', columns 'Amusement', 'Anger', 'Awe', 'Content', 'Disgust', 'Excitement', 'Fear', 'Sad' hold
// votes. 280 rows, 228 without a tie for the first place. Targets: votes; label = the winner, unknown where votes tie.
// No official split: 5 folds. Metric: accuracy.
#include <fmt/format.h>

#include "base/csv.h"
#include "base/error.h"
#include "base/text.h"
#include "datasets/adapters/adapters.h"
#include "datasets/sampling.h"

namespace vise {
namespace {

const DatasetInfo kInfo{.name = "abstract",
                        .title = "Abstract paintings (Machajdik & Hanbury, ACM MM 2010)",
                        .folders = {"testImages_abstract", "Abstract", "abstract"},
                        .tree = "testImages_abstract/\n  abstract_<nnnn>.jpg\n  ABSTRACT_groundTruth.csv",
                        .page = "https://www.imageemotion.org",
                        .licence = "not stated: research",
                        .citation =
                            "J. Machajdik, A. Hanbury. Affective Image Classification using Features inspired by "
                            "Psychology and Art Theory. ACM Multimedia 2010."};

std::string unquoted(std::string_view cell) {
  cell = trim(cell);
  if (cell.size() >= 2 && cell.front() == '\'' && cell.back() == '\'') cell = cell.substr(1, cell.size() - 2);
  return std::string(cell);
}

std::string class_name(std::string_view header) {
  const std::string word = lower(unquoted(header));
  return word == "content" ? "contentment" : word == "sad" ? "sadness" : word;
}

Dataset read(const DatasetRequest& request) {
  const Path path = request.root / "ABSTRACT_groundTruth.csv";
  const CsvTable table = CsvTable::parse(read_text_file(path), path.string());
  Dataset dataset = new_dataset(request, kInfo.name);
  std::vector<std::string> names;
  for (std::size_t c = 1; c < table.header().size(); ++c) names.push_back(class_name(table.header()[c]));
  if (names.empty()) throw Error(ErrorKind::input, fmt::format("{}: has no columns of votes", path.string()));
  std::vector<double> votes;
  for (std::size_t r = 0; r < table.rows(); ++r) {
    dataset.ids.push_back(unquoted(table.cell(r, 0)));
    for (std::size_t c = 1; c < table.header().size(); ++c) {
      double value = 0;
      if (!parse_double(unquoted(table.cell(r, c)), value) || value < 0)
        throw Error(ErrorKind::input, fmt::format("{}: line {}: '{}' is no number of votes", path.string(),
                                                  table.line(r), table.cell(r, c)));
      votes.push_back(value);
    }
  }
  dataset.targets.emplace("votes", Targets::from_distribution(std::move(votes), std::move(names)));
  expect_count(dataset, request.log, "rows", dataset.size(), 280);
  drop_missing(dataset, request.log, "");
  add_label_from_votes(dataset, request.log);
  return dataset;
}

}  // namespace

void add_abstract(DatasetRegistry& registry) { registry.add(kInfo, read); }

}  // namespace vise
