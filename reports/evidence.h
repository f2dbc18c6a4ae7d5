// What the saved scores prove about a section of the table: intervals of every metric and paired tests of every
// difference.
//
//   SectionEvidence evidence(table, section, folders, options, context);  // reads scores, resamples
//   evidence.add_intervals(section);
//   evidence.test_differences(table, section);                            // again after set_baseline
//
// Rows are joined by item id. Seeds of a row are averaged inside each resample, so intervals speak of test images
// alone; the deviation over seeds is kept apart.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "reports/statistics/resampled_metrics.h"
#include "reports/table.h"

namespace vise {

// The footnote of rows whose scores were not kept.
inline constexpr const char* kNoScores = "No scores were kept: no intervals and no tests.";

// Predicted probabilities in [low, low + 1/bins), all seeds together.
struct ReliabilityBin {
  std::size_t count = 0;
  double confidence = 0, accuracy = 0;  // means
};

// One model's scores on the section's items.
struct SeedEvidence {
  ClassPredictions predictions;
  std::vector<double> positive;  // two classes: the score of the second against the first
};

struct RowEvidence {
  std::vector<SeedEvidence> seeds;              // none: no scores to read
  std::vector<std::vector<double>> replicates;  // [metric of `shown` that can be resampled][resample], mean over seeds
  std::vector<std::uint64_t> confusion;         // classes x classes, true class first, all seeds together
  std::vector<ReliabilityBin> reliability;      // 10 bins of the predicted class's softmax probability
};

class SectionEvidence {
 public:
  // `folders[i]` is the run of table.results[i]. Adds footnotes to `table` where scores are missing or don't agree with
  // results.jsonl. Error{input} for scores that are there and bad.
  SectionEvidence(ComparisonTable& table, TableSection& section, const std::vector<Path>& folders,
                  const CompareOptions& options, const Context& context);

  void add_intervals(TableSection& section) const;
  void test_differences(const ComparisonTable& table, TableSection& section) const;

  const std::vector<RowEvidence>& rows() const { return rows_; }  // as section.rows
  bool empty() const { return y_.empty(); }

 private:
  void load(ComparisonTable& table, TableSection& section, const std::vector<Path>& folders);
  void check_recorded(ComparisonTable& table, TableSection& section) const;
  void resample(const TableSection& section, const CompareOptions& options, const Context& context);
  void test(const ComparisonTable& table, const TableSection& section, TableRow& row, std::size_t place) const;

  std::vector<std::string> metrics_;  // those that are resampled; the primary one first where it is known
  std::vector<int> y_;
  std::vector<RowEvidence> rows_;
  double level_ = 0.95;
};

}  // namespace vise
