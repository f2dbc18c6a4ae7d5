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
#include "experiments/scores_file.h"
#include "reports/statistics/resampled_metrics.h"
#include "reports/statistics/resampled_soft.h"
#include "reports/table.h"

namespace vise {

// The footnote of rows whose scores were not kept.
inline constexpr const char* kNoScores = "No scores were kept: no intervals and no tests.";

// Predicted probabilities in [low, low + 1/bins), all seeds together.
struct ReliabilityBin {
  std::size_t count = 0;
  double confidence = 0, accuracy = 0;  // means
};

// One model's scores on the section's items: `predictions` for classes, `soft` for other targets.
struct SeedEvidence {
  std::optional<ClassPredictions> predictions;
  std::optional<SoftPredictions> soft;
  std::vector<double> positive;    // two classes: the score of the second against the first
  std::vector<double> confidence;  // classes: the predicted class's softmax probability
};

// Test images on which so large a share of the annotators agrees with the label, and how often a row is right there.
struct AgreementBin {
  double low = 0, high = 0;  // shares of votes, in [low, high); the last bin is agreement of all
  std::size_t count = 0;     // images
  double accuracy = 0;       // mean over seeds; NaN without images
};

struct RowEvidence {
  std::vector<SeedEvidence> seeds;              // none: no scores to read
  std::vector<std::vector<double>> replicates;  // [metric of `shown` that can be resampled][resample], mean over seeds
  std::vector<std::uint64_t> confusion;         // classes x classes, true class first, all seeds together
  std::vector<ReliabilityBin> reliability;      // 10 bins of the predicted class's softmax probability
  std::vector<AgreementBin> agreement;          // where the test images have votes
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
  const std::vector<std::string>& ids() const { return ids_; }    // the items of every seed's predictions, in order
  bool empty() const { return ids_.empty(); }

 private:
  void load(ComparisonTable& table, TableSection& section, const std::vector<Path>& folders);
  void add_row_evidence(const Result& result, const SavedScores& scores, std::size_t row);
  void add_agreement(ComparisonTable& table, TableSection& section, const Targets& votes);
  void check_recorded(ComparisonTable& table, TableSection& section) const;
  void resample(const TableSection& section, const CompareOptions& options, const Context& context);
  void test(const ComparisonTable& table, const TableSection& section, TableRow& row, std::size_t place) const;

  std::vector<std::string> metrics_;  // those that are resampled; the primary one first where it is known
  std::vector<std::string> ids_;      // the test images that every row has
  Targets targets_;                   // theirs
  std::vector<int> y_;                // their classes, or one stratum
  std::vector<RowEvidence> rows_;
  double level_ = 0.95;
};

}  // namespace vise
