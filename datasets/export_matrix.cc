#include <fmt/format.h>

#include "base/csv.h"
#include "base/error.h"
#include "base/npy.h"
#include "base/text.h"
#include "datasets/export.h"

// Features and targets as other programs read them: LIBSVM's text, and NumPy's arrays. Items without features (an
// unreadable image) are left out of all files of a part alike, so that row i is the same item in each.

namespace vise::datasets {
namespace {

// A class by its number, a value, or the numbers of all labels that an item has, joined by commas as LIBSVM's
// multi-label data sets are.
std::string libsvm_label(const Targets& targets, std::uint32_t item) {
  if (targets.kind() == TargetKind::classes) return std::to_string(targets.classes()[item]);
  if (targets.kind() == TargetKind::values) return number(targets.rows()[item]);
  std::string label;
  for (std::size_t k = 0; k < targets.width(); ++k)
    if (targets.multi_label()[item * targets.width() + k] == 1)
      label += fmt::format("{}{}", label.empty() ? "" : ",", k);
  return label;
}

void write_targets(const Path& path, const Targets& targets) {
  if (targets.kind() == TargetKind::classes) {
    const std::vector<std::int64_t> classes(targets.classes().begin(), targets.classes().end());
    // int64, which numpy and PyTorch take for class numbers.
    write_npy(path, classes, {classes.size()});
    return;
  }
  std::vector<double> rows;
  // Multi-label stays as it is kept: 1, 0 and -1 for unknown.
  if (targets.kind() == TargetKind::multi_label)
    rows.assign(targets.multi_label().begin(), targets.multi_label().end());
  else
    rows.assign(targets.rows().begin(), targets.rows().end());
  write_npy(path, rows, {targets.size(), targets.width()});
}

}  // namespace

std::size_t export_libsvm(const Path& folder, const Targets& targets, Part part, std::span<const std::uint32_t> items,
                          const FeaturesOfItem& features) {
  if (targets.kind() == TargetKind::distribution || (targets.kind() == TargetKind::values && targets.width() > 1))
    throw Error(ErrorKind::usage, fmt::format("libsvm has no form for {} targets", target_kind_name(targets.kind())),
                "--format npy has");
  // The file gets its name with the last row: a reader never meets one half written.
  AtomicFile file(folder / fmt::format("{}.libsvm", part_name(part)));
  std::size_t rows = 0;
  for (const std::uint32_t item : items) {
    const std::span<const float> values = features(item);
    if (values.empty()) continue;
    std::string line = libsvm_label(targets, item);
    for (std::size_t d = 0; d < values.size(); ++d)
      // The libsvm format is sparse and counts features from 1.
      if (values[d] != 0) fmt::format_to(std::back_inserter(line), " {}:{}", d + 1, values[d]);
    file.write(line + '\n');
    ++rows;
  }
  file.commit();
  return rows;
}

std::size_t export_npy(const Path& folder, const Dataset& dataset, const Targets& targets, Part part,
                       std::span<const std::uint32_t> items, std::size_t dim, const FeaturesOfItem& features) {
  std::vector<float> values;
  std::vector<std::uint32_t> kept;
  std::string ids = "id\n";
  for (const std::uint32_t item : items) {
    const std::span<const float> row = features(item);
    if (row.empty()) continue;
    values.insert(values.end(), row.begin(), row.end());
    kept.push_back(item);
    ids += csv_line(std::vector<std::string>{dataset.ids[item]});
  }
  write_npy(folder / fmt::format("X_{}.npy", part_name(part)), values, {kept.size(), dim});
  write_targets(folder / fmt::format("y_{}.npy", part_name(part)), targets.select(kept));
  write_file_atomically(folder / fmt::format("ids_{}.csv", part_name(part)), ids);
  return kept.size();
}

}  // namespace vise::datasets
