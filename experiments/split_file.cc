#include "experiments/split_file.h"

#include "base/csv.h"

namespace vise::experiments {

SavedSplit read_split(const Path& file) {
  const CsvTable csv = CsvTable::parse(read_text_file(file, std::uint64_t{4} << 30), file.string());
  // Both our own splits (id, part) and tables as people keep them (path, split) are read.
  const std::size_t id = csv.column(csv.has_column("path") && !csv.has_column("id") ? "path" : "id"),
                    part = csv.column(csv.has_column("split") && !csv.has_column("part") ? "split" : "part");
  SavedSplit saved;
  std::vector<datasets::Part> parts;
  for (std::size_t row = 0; row < csv.rows(); ++row) {
    saved.ids.push_back(csv.cell(row, id));
    parts.push_back(datasets::parse_part(csv.cell(row, part)));
  }
  saved.split = datasets::Split(std::move(parts), "");
  return saved;
}

}  // namespace vise::experiments
