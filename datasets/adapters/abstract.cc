// Abstract (Machajdik, Hanbury, ACM Multimedia 2010): abstract paintings with votes for eight emotions.
//
// Source page: https://www.imageemotion.org. Licence: not stated, research. Tree:
// testImages_abstract/abstract_<nnnn>.jpg and ABSTRACT_groundTruth.csv, whose header and names are in single quotes:
// 'abstract_0001.jpg', columns 'Amusement', 'Anger', 'Awe', 'Content', 'Disgust', 'Excitement', 'Fear', 'Sad' hold
// votes. 280 rows, 228 without a tie for the first place. Targets: votes; label = the winner, unknown where votes tie.
// No official split: 5 folds. Metric: accuracy.
#include <fmt/format.h>

#include <algorithm>

#include "base/csv.h"
#include "base/error.h"
#include "base/text.h"
#include "datasets/adapters/adapters.h"
#include "datasets/dataset_registry.h"
#include "datasets/sampling.h"
#include "datasets/tree.h"

namespace vise::datasets {
namespace {

const DatasetInfo kAbstract{.name = "abstract",
                            .title = "Abstract paintings (Machajdik & Hanbury, ACM MM 2010)",
                            .folders = {"testImages_abstract", "Abstract", "abstract"},
                            .tree = "testImages_abstract/\n  abstract_<nnnn>.jpg\n  ABSTRACT_groundTruth.csv",
                            .page = "https://www.imageemotion.org",
                            .licence = "not stated: research",
                            .citation =
                                "J. Machajdik, A. Hanbury. Affective Image Classification using Features inspired by "
                                "Psychology and Art Theory. ACM Multimedia 2010."};

// The file quotes with single quotes, which CSV (RFC 4180) doesn't know: they arrive as part of the cell.
std::string unquoted(std::string_view cell) {
  cell = trim(cell);
  if (cell.size() >= 2 && cell.front() == '\'' && cell.back() == '\'') cell = cell.substr(1, cell.size() - 2);
  return std::string(cell);
}

// The emotion of a column, spelled as the other data sets spell it, so that tables over several sets agree on names.
std::string class_name(std::string_view header) {
  const std::string word = lower(unquoted(header));
  return word == "content" ? "contentment" : word == "sad" ? "sadness" : word;
}

const std::vector<std::string> kEmotions{"amusement", "anger",      "awe",  "contentment",
                                         "disgust",   "excitement", "fear", "sadness"};

// Which column names the picture, and which hold an emotion's votes; in any order. What else there is (an index, a sum)
// is no emotion.
struct Columns {
  std::size_t name = SIZE_MAX;
  std::vector<std::size_t> votes;
  std::vector<std::string> emotions;

  explicit Columns(const CsvTable& table) {
    for (std::size_t c = 0; c < table.header().size(); ++c) {
      const std::string word = class_name(table.header()[c]);
      if (std::find(kEmotions.begin(), kEmotions.end(), word) == kEmotions.end()) {
        // The picture's column isn't known by a name: it is the first whose cell ends as an image file does.
        const bool names = table.rows() > 0 && has_image_extension(unquoted(table.cell(0, c)));
        if (names && name == SIZE_MAX) name = c;
        continue;
      }
      if (std::find(emotions.begin(), emotions.end(), word) != emotions.end())
        throw Error(ErrorKind::input, fmt::format("{}: the column '{}' stands there twice", table.name(), word));
      votes.push_back(c);
      emotions.push_back(word);
    }
    if (votes.empty()) throw Error(ErrorKind::input, fmt::format("{}: has no columns of votes", table.name()));
    if (name == SIZE_MAX) throw Error(ErrorKind::input, fmt::format("{}: no column names the picture", table.name()));
  }
};

Dataset read_abstract(const DatasetRequest& request) {
  const Path path = request.root / "ABSTRACT_groundTruth.csv";
  const CsvTable table = CsvTable::parse(read_text_file(path), path.string());
  Dataset dataset = new_dataset(request, kAbstract.name);
  Columns columns(table);
  std::vector<double> votes;
  for (std::size_t r = 0; r < table.rows(); ++r) {
    dataset.ids.push_back(unquoted(table.cell(r, columns.name)));
    for (const std::size_t c : columns.votes) {
      double value = 0;
      if (!parse_double(unquoted(table.cell(r, c)), value) || value < 0)
        throw Error(ErrorKind::input, fmt::format("{}: line {}: '{}' is no number of votes", path.string(),
                                                  table.line(r), table.cell(r, c)));
      votes.push_back(value);
    }
  }
  dataset.targets.emplace("votes", Targets::from_distribution(std::move(votes), std::move(columns.emotions)));
  // Counted before pictures that aren't there are dropped: this compares the table with the published one, and
  // drop_missing() reports the files.
  expect_count(dataset, request.log, "rows", dataset.size(), 280);
  drop_missing(dataset, request.log, "");
  // The winner comes last, of the rows that are left: votes of absent pictures decide nothing.
  add_label_from_votes(dataset);
  return dataset;
}

}  // namespace

void add_abstract(DatasetRegistry& registry) { registry.add(kAbstract, read_abstract); }

}  // namespace vise::datasets
