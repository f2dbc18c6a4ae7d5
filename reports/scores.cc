#include "reports/scores.h"

#include <fmt/format.h>

#include <cmath>
#include <unordered_set>

#include "base/csv.h"
#include "base/error.h"
#include "base/npy.h"
#include "base/text.h"

namespace vise {
namespace {

constexpr std::uint64_t kMaxCsvBytes = std::uint64_t{1} << 30;
const char* const kFormat = "docs/formats/scores.md describes the file";

void read_items(const Path& path, std::size_t classes, ClassScores& scores) {
  const CsvTable csv = CsvTable::parse(read_text_file(path, kMaxCsvBytes), path.string());
  const std::size_t id = csv.column("id"), target = csv.column("target");
  std::unordered_set<std::string> seen;
  for (std::size_t row = 0; row < csv.rows(); ++row) {
    std::int64_t value = -1;
    if (!parse_int(csv.cell(row, target), value) || value < 0 || value >= static_cast<std::int64_t>(classes))
      throw Error(ErrorKind::input,
                  fmt::format("{}: line {}: target '{}' is no class index below {}", path.string(), csv.line(row),
                              csv.cell(row, target), classes),
                  kFormat);
    if (!seen.insert(csv.cell(row, id)).second)
      throw Error(ErrorKind::input,
                  fmt::format("{}: line {}: id '{}' is there twice", path.string(), csv.line(row), csv.cell(row, id)),
                  kFormat);
    scores.ids.push_back(csv.cell(row, id));
    scores.classes.push_back(static_cast<int>(value));
  }
}

void read_values(const Path& path, std::size_t classes, ClassScores& scores) {
  const NpyArray array = NpyArray::open(path);
  const auto& shape = array.shape();
  const bool fits =
      shape.size() == 2 && shape[0] == scores.ids.size() && (shape[1] == classes || (shape[1] == 1 && classes == 2));
  if (!fits)
    throw Error(ErrorKind::input,
                fmt::format("{}: shape ({}) doesn't fit {} test items and {} classes", path.string(),
                            fmt::join(shape, ", "), scores.ids.size(), classes),
                kFormat);
  scores.columns = shape[1];
  scores.values = array.to_doubles();
  for (std::size_t i = 0; i < scores.values.size(); ++i)
    if (!std::isfinite(scores.values[i]))
      throw Error(ErrorKind::input, fmt::format("{}: row {}: a score is not finite", path.string(), i / scores.columns),
                  kFormat);
}

}  // namespace

ClassScores read_class_scores(const Path& run_folder, const Result& result) {
  const Path npy = run_folder / result.scores_file;
  Path csv = npy;
  csv.replace_extension(".csv");
  ClassScores scores;
  read_items(csv, result.class_names.size(), scores);
  read_values(npy, result.class_names.size(), scores);
  return scores;
}

}  // namespace vise
