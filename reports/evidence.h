// What the saved scores prove about a section of the table: intervals of every metric and paired tests of every
// difference.
//
//   SectionEvidence evidence(table, section, folders, options, context);  // reads scores, resamples
//   evidence.add_intervals(section);
//   evidence.test_differences(table, section);                            // again after set_baseline
//
// Rows are joined by item id. Of a row with several seeds intervals and tests speak of test images and of training runs
// (statistics/seed_means.h); seeds with the same scores, as a convex probe's are, are one model.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/log.h"
#include "reports/compare.h"
#include "reports/seed_evidence.h"
#include "reports/statistics/seed_means.h"
#include "reports/table.h"

namespace vise::reports {

// The footnote of rows whose scores were not kept.
inline constexpr const char* kNoScores = "No scores were kept: no intervals and no tests.";

// Predicted probabilities in [low, low + 1/bins), all models together.
struct ReliabilityBin {
  std::size_t count = 0;
  double confidence = 0, accuracy = 0;  // means
};

// Test images on which so large a share of the annotators agrees with the label, and how often a row is right there.
struct AgreementBin {
  double low = 0, high = 0;  // shares of votes, in [low, high); the last bin is agreement of all
  std::size_t count = 0;     // images
  double accuracy = 0;       // mean over seeds; NaN without images
};

struct RowEvidence {
  std::vector<SeedEvidence> seeds;      // different models; none: no scores to read, or a mean over folds
  std::vector<ResampledSeeds> primary;  // one, or a fold each; none where the metric can't be resampled
  std::vector<double> draws;            // of a mean over drawn splits: the primary metric on each
  std::map<std::string, std::optional<Interval>> intervals;  // of every metric that can be resampled
  std::vector<std::uint64_t> confusion;                      // classes x classes, true class first, all models together
  std::vector<ReliabilityBin> reliability;                   // 10 bins of the predicted class's softmax probability
  std::vector<AgreementBin> agreement;                       // where the test images have votes
};

// Where results came from: their scores are below that run's folder.
struct RunOfResults {
  std::vector<Path> folders;
  std::vector<std::size_t> of_result;  // a folder of each of ComparisonTable::results

  const Path& operator()(std::size_t result) const { return folders[of_result[result]]; }
};

class SectionEvidence {
 public:
  // Adds footnotes to `table` where scores are missing or don't agree with
  // results.jsonl. Error{input} for scores that are there and bad.
  SectionEvidence(ComparisonTable& table, TableSection& section, const RunOfResults& runs,
                  const CompareOptions& options, const Context& context);

  // Of a mean over folds, from the evidence of all sections before it. Splits that were drawn several times share
  // images: their intervals and tests are those of statistics/corrected_t.h. Where other folds share test images a
  // footnote says so, and there are no intervals and no tests.
  SectionEvidence(ComparisonTable& table, TableSection& mean, std::span<const SectionEvidence> all,
                  const CompareOptions& options);

  void add_intervals(TableSection& section) const;
  void test_differences(const ComparisonTable& table, TableSection& section) const;

  const std::vector<RowEvidence>& rows() const { return rows_; }  // as section.rows
  const std::vector<std::string>& ids() const { return ids_; }    // the items of every seed's predictions, in order
  const datasets::Targets& targets() const { return targets_; }   // theirs
  std::span<const int> strata() const { return y_; }              // what they are resampled within
  double test_to_train() const { return test_to_train_; }         // of a mean over drawn splits, in images
  bool empty() const { return ids_.empty(); }

 private:
  void load(ComparisonTable& table, TableSection& section, const RunOfResults& runs);
  void add_row_evidence(const experiments::Result& result, const experiments::SavedScores& scores, std::size_t row);
  void count_predictions();
  void add_agreement(ComparisonTable& table, TableSection& section, const datasets::Targets& votes);
  void check_recorded(ComparisonTable& table, TableSection& section) const;
  void resample(const TableSection& section, const CompareOptions& options, const Context& context);
  void resample_rows(const TableSection& section, std::span<RowEvidence> rows, const CompareOptions& options,
                     const Context& context);
  void evaluate_draws(const TableSection& mean, const ComparisonTable& table);
  // The test that fits the two rows: its p, its interval, its name.
  void test_models(const TableSection& section, const RowEvidence& mine, const RowEvidence& theirs,
                   Difference& d) const;
  void test(const ComparisonTable& table, const TableSection& section, TableRow& row, std::size_t place) const;

  std::vector<std::string> metrics_;  // those that are resampled
  std::vector<std::string> ids_;      // the test images that every row has
  datasets::Targets targets_;         // theirs
  std::vector<int> y_;                // their classes, or one stratum
  std::vector<RowEvidence> rows_;
  double level_ = 0.95;
  double test_to_train_ = 0;  // of a mean over drawn splits: images of test to those learnt from
};

}  // namespace vise::reports
