// Reads the saved test scores of a result (docs/formats/scores.md).
#pragma once

#include <string>
#include <vector>

#include "base/file.h"
#include "experiments/result.h"

namespace vise {

// Row i: item ids[i] with the true class classes[i]; `values` are rows x columns, row-major.
struct ClassScores {
  std::vector<std::string> ids;
  std::vector<int> classes;
  std::size_t columns = 0;
  std::vector<double> values;
};

// For a result with target_kind "classes". Error{missing} when a file isn't there; Error{input} with file and line for
// a class out of range, an id given twice, scores that aren't finite, or a count of rows or columns that doesn't fit.
ClassScores read_class_scores(const Path& run_folder, const Result& result);

}  // namespace vise
