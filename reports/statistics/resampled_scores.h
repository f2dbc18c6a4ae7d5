// Metrics of classes that need the scores themselves, for many resamples of one test set: log loss, Brier score,
// calibration errors, top-5 accuracy, and average precision and ROC AUC of one class against the rest.
//
//   const ScoredClasses model(saved.scores, saved.targets, calibration);
//   model.evaluate_lanes(metrics, counts, values);    // kLanes resamples at once; counts from Resampler::block
//
// Definitions are those of probes/evaluate.h, with every item weighted by how often it was drawn; a test compares with
// evaluate() on the items themselves, written out. Thread-safe when const.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/targets.h"
#include "probes/probe.h"
#include "reports/statistics/resampled_ranking.h"

namespace vise {

class ScoredClasses {
 public:
  // Targets are classes; `scores` has a column a class, or one for two classes (the score of class 1).
  ScoredClasses(const Scores& scores, const Targets& targets, const Calibration& calibration);

  static bool knows(std::string_view metric);

  // `counts` is items x kLanes, `values` metrics x kLanes, row-major; NaN where undefined.
  void evaluate_lanes(std::span<const std::string_view> metrics, std::span<const std::uint16_t> counts,
                      std::span<double> values) const;

 private:
  // Of each item: where its confidence falls, and how much larger it is than being right (1 or 0).
  struct Binned {
    std::vector<std::uint8_t> bin;
    std::vector<double> excess;
  };
  using Counts = std::span<const std::uint16_t>;
  using Lane = std::span<double>;

  void add_item_means(std::span<const double> logits, std::span<const double> prob, std::span<const int> truth);
  void add_rankings(std::span<const double> logits, std::span<const double> ranked, std::span<const int> truth);
  Binned binned(std::span<const double> prob, std::span<const int> truth) const;
  void mean_of_items(const std::vector<double>& per_item, Counts counts, Lane values) const;
  void calibration_error(const Binned& binned, Counts counts, Lane values) const;

  std::size_t items_ = 0, classes_ = 0;
  std::map<std::string, std::vector<double>, std::less<>> per_item_;
  std::map<std::string, Binned, std::less<>> binned_;  // "ece", "ece_calibrated"
  std::vector<Ranking> rankings_;                      // one for two classes, one a class for more
};

}  // namespace vise
