// Results to the comparison table.
//
//   ComparisonTable table = compare(read_results("run/results.jsonl"), {.baseline = "resnet18"});
//
// It looks at results.jsonl alone; make_report (report.h) adds what needs the saved scores: intervals and tests.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "reports/table.h"

namespace vise::reports {

struct CompareOptions {
  std::string baseline = {};                          // of every section; "": each task's own
  std::map<std::string, std::string> baselines = {};  // by task; where a task isn't named, its first backbone
  std::map<std::string, std::string> kinds = {};      // by task: "subjective", "control" ... (task.h)
  bool verdict = true;                                // whether make_report judges over tasks
  double alpha = 0.05, level = 0.95;
  int resamples = 10000;  // of make_report's bootstrap
  std::uint64_t seed = 0;
  std::vector<PublishedRecord> published = {};
};

// Error{usage} with the nearest name when the baseline is no backbone of `results`.
ComparisonTable compare(std::vector<experiments::Result> results, const CompareOptions& options);

// Sets rows' baseline marks and plain differences (values only) anew, for another baseline.
void set_baseline(ComparisonTable& table, const std::string& backbone);

}  // namespace vise::reports
