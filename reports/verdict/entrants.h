// Which rows of which sections a verdict compares: one row a backbone and task, alike in probe and sample of train.
#pragma once

#include <string>
#include <vector>

#include "reports/table.h"

namespace vise::reports {

struct Entrants {
  std::string probe;  // "" where each task has its own
  std::vector<std::size_t> sections;
  std::vector<std::string> names;              // of the entrants
  std::vector<std::vector<std::size_t>> rows;  // entrants x tasks: places in the sections
  std::vector<std::string> left_out;           // sentences: what isn't among them, and why
};

// One for each sample of train, condition and probe that two tasks and two entrants have in common; all of train first.
// A task of several folds or drawn splits counts by its mean.
std::vector<Entrants> entrants_of(const ComparisonTable& table);

}  // namespace vise::reports
