// What `vise-eval probe` is given: features, labels, groups and parts from .npy and CSV files, checked against each
// other and joined.
//
//   const ProbeData data = read_probe_data(files);
//   FeatureRows(rows_of(data, data.split.items(Part::train)), data.dim)
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "base/npy.h"
#include "datasets/split.h"
#include "datasets/targets.h"

namespace vise::cli {

struct ProbeFiles {
  std::string features, labels;        // all rows, or train's where there are files for val or test
  std::vector<std::string> val, test;  // "X.npy", "y.npy"; or none
  std::string target;                  // a TargetKind's name; "": classes, if they look so
  std::string column = "label";        // of a CSV of labels; several, joined by commas, for more than one value
  std::string split, groups;           // files, or none
  std::array<double, 3> shares{0.6, 0.2, 0.2};  // of a drawn split
  std::uint64_t seed = 0;
};

struct ProbeData {
  std::size_t dim = 0;
  std::vector<const float*> rows;
  datasets::Targets targets;
  std::vector<std::string> ids,
      groups;  // ids: "0", "1", ... or the CSV's column `id` or `path`; groups: none, or one a row
  datasets::Split split;
  std::vector<std::shared_ptr<const void>> owners;  // keep what `rows` points to alive
};

// Features are N x D of any float type; float32 is mapped, others are converted. Labels: an .npy of N (classes, values)
// or N x K numbers, of N texts, or a CSV whose columns are named by `column`. `split`: an .npy of 0 (train), 1 (val), 2
// (test), or a CSV with a column `split`; else drawn: stratified, whole groups where there are groups. Error{input}
// naming file and row, Error{usage} for options that don't go together.
ProbeData read_probe_data(const ProbeFiles& files);

std::vector<const float*> rows_of(const ProbeData& data, std::span<const std::uint32_t> items);

}  // namespace vise::cli
