#include "experiments/scores_file.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <unordered_set>

#include "base/csv.h"
#include "base/error.h"
#include "base/npy.h"
#include "base/text.h"

namespace vise::experiments {
namespace {

constexpr std::uint64_t kMaxCsvBytes = std::uint64_t{1} << 30;
const char* const kFormat = "docs/formats/scores.md describes the file";

// A target as one cell: the class's index, or one number a column, separated by blanks.
std::string target_text(const datasets::Targets& targets, std::size_t item) {
  if (targets.kind() == datasets::TargetKind::classes) return std::to_string(targets.classes()[item]);
  std::vector<std::string> parts;
  for (std::size_t at = item * targets.width(); at < (item + 1) * targets.width(); ++at)
    parts.push_back(targets.kind() == datasets::TargetKind::multi_label ? std::to_string(targets.multi_label()[at])
                                                                        : number(targets.rows()[at]));
  return join(parts, " ");
}

// The numbers of a column, checked for the kind, row after row.
class TargetReader {
 public:
  TargetReader(datasets::TargetKind kind, const std::vector<std::string>& names, const CsvTable& csv,
               std::string_view column)
      : csv_(csv), kind_(kind), names_(names), column_(csv.column(column)) {}

  datasets::Targets read() {
    for (std::size_t row = 0; row < csv_.rows(); ++row) add(row);
    if (kind_ == datasets::TargetKind::classes) return datasets::Targets::from_classes(std::move(classes_), names_);
    if (kind_ == datasets::TargetKind::multi_label)
      return datasets::Targets::from_multi_label(std::move(bits_), names_);
    if (kind_ == datasets::TargetKind::distribution)
      return datasets::Targets::from_distribution(std::move(rows_), names_);
    return datasets::Targets::from_values(std::move(rows_), names_);
  }

 private:
  void add(std::size_t row) {
    const std::string& cell = csv_.cell(row, column_);
    const std::size_t wanted = kind_ == datasets::TargetKind::classes ? 1 : names_.size();
    const std::vector<std::string> parts = split(cell, ' ');
    if (parts.size() != wanted) fail(row, fmt::format("'{}' holds {} numbers, not {}", cell, parts.size(), wanted));
    for (const std::string& part : parts) add_number(row, part);
  }

  void add_number(std::size_t row, const std::string& part) {
    std::int64_t integer = 0;
    double real = std::numeric_limits<double>::quiet_NaN();
    if (kind_ == datasets::TargetKind::classes) {
      if (!parse_int(part, integer) || integer < 0 || integer >= static_cast<std::int64_t>(names_.size()))
        fail(row, fmt::format("target '{}' is no class index below {}", part, names_.size()));
      classes_.push_back(static_cast<int>(integer));
    } else if (kind_ == datasets::TargetKind::multi_label) {
      if (!parse_int(part, integer) || integer < -1 || integer > 1)
        fail(row, fmt::format("'{}' is not 1, 0 or -1", part));
      bits_.push_back(static_cast<std::int8_t>(integer));
    } else {
      if (part != "nan" && !parse_double(part, real)) fail(row, fmt::format("'{}' is not a number", part));
      rows_.push_back(real);
    }
  }

  [[noreturn]] void fail(std::size_t row, const std::string& what) const {
    throw Error(ErrorKind::input, fmt::format("{}: line {}: {}", csv_.name(), csv_.line(row), what), kFormat);
  }

  const CsvTable& csv_;
  const datasets::TargetKind kind_;
  const std::vector<std::string>& names_;
  const std::size_t column_;
  std::vector<int> classes_;
  std::vector<std::int8_t> bits_;
  std::vector<double> rows_;
};

std::vector<std::string> read_ids(const CsvTable& csv) {
  const std::size_t column = csv.column("id");
  std::vector<std::string> ids;
  std::unordered_set<std::string> seen;
  for (std::size_t row = 0; row < csv.rows(); ++row) {
    ids.push_back(csv.cell(row, column));
    if (!seen.insert(ids.back()).second)
      throw Error(ErrorKind::input,
                  fmt::format("{}: line {}: id '{}' is there twice", csv.name(), csv.line(row), ids.back()), kFormat);
  }
  return ids;
}

// Scores of every test item. Where a value isn't finite metrics would be undefined without a reason, so it is an
// error.
probes::Scores read_values(const Path& path, std::size_t items, const Result& result) {
  const std::size_t names = result.class_names.size();
  const NpyArray array = NpyArray::open(path);
  const auto& shape = array.shape();
  // scikit-learn's decision_function gives one score for two classes.
  const bool one_score_for_two = names == 2 && result.target_kind == datasets::TargetKind::classes;
  if (shape.size() != 2 || shape[0] != items || !(shape[1] == names || (shape[1] == 1 && one_score_for_two)))
    throw Error(ErrorKind::input,
                fmt::format("{}: shape ({}) doesn't fit {} test items and {} {}", path.string(), fmt::join(shape, ", "),
                            items, names, result.target_kind == datasets::TargetKind::classes ? "classes" : "columns"),
                kFormat);
  probes::Scores scores{items, shape[1], array.to_doubles()};
  for (std::size_t i = 0; i < scores.values.size(); ++i)
    if (!std::isfinite(scores.values[i]))
      throw Error(ErrorKind::input, fmt::format("{}: row {}: a score is not finite", path.string(), i / scores.columns),
                  kFormat);
  return scores;
}

}  // namespace

std::string write_scores(const Path& run_folder, const std::string& key, const SavedScores& saved) {
  const std::string stem = fmt::format("scores/{}.test", key);
  std::string csv = saved.votes ? "id,target,votes\n" : "id,target\n";
  for (std::size_t i = 0; i < saved.ids.size(); ++i) {
    std::vector<std::string> cells{saved.ids[i], target_text(saved.targets, i)};
    if (saved.votes) cells.push_back(target_text(*saved.votes, i));
    csv += csv_line(cells);
  }
  // Items first: a .npy without its .csv could not be read, and results name the .npy.
  write_file_atomically(run_folder / (stem + ".csv"), csv);
  write_npy(run_folder / (stem + ".npy"), std::span<const double>(saved.scores.values),
            {saved.scores.rows, saved.scores.columns});
  return stem + ".npy";
}

// Everything is checked against the result, since scores may have been written by other
// programs (docs/formats/scores.md).
SavedScores read_scores(const Path& run_folder, const Result& result) {
  const Path npy = run_folder / result.scores_file;
  Path items = npy;
  items.replace_extension(".csv");
  const CsvTable csv = CsvTable::parse(read_text_file(items, kMaxCsvBytes), items.string());
  SavedScores saved;
  saved.ids = read_ids(csv);
  saved.targets = TargetReader(result.target_kind, result.class_names, csv, "target").read();
  if (csv.has_column("votes"))
    saved.votes = TargetReader(datasets::TargetKind::distribution, result.class_names, csv, "votes").read();
  saved.scores = read_values(npy, saved.ids.size(), result);
  return saved;
}

}  // namespace vise::experiments
