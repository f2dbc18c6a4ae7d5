// Which results a word on the command line means.
#pragma once

#include <string>
#include <vector>

#include "reports/report.h"

namespace vise::cli {

// A run's results, all or some.
struct Picked {
  std::string word;
  Path folder;
  std::vector<experiments::Result> results;
};

// "RUN", or "RUN:ROW" where ROW is a backbone, "BACKBONE/PROBE", a probe, or the beginning of a result's key.
// Error{missing} for no such run, Error{usage} naming the nearest row for no such row.
Picked pick(const std::string& word);
// The row alone, of a run that is already read.
Picked pick_row(const reports::RunFolder& run, const std::string& row);

}  // namespace vise::cli
