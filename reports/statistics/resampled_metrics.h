// Metrics of weighted items, for many resamples of one test set: what is done once (sorting, comparing) is done once.
//
//   const ClassPredictions model(y, scores, classes);
//   model.evaluate(metrics, {}, values);              // of the test set itself
//   model.evaluate_lanes(metrics, counts, values);    // of kLanes resamples at once; counts from Resampler::block
//
// Resamples are worked on side by side: one item's counts in all of them lie together, so the inner loops are vector
// additions. 100 models of 1000 items take about a second for 10,000 resamples on two threads.
//
// Definitions as in PROTOCOL.md section 6: argmax with ties to the lowest class; balanced accuracy over the classes
// that are present; F1 = 2 TP / (2 TP + FP + FN), 0/0 = 0, averaged over all classes, or weighted by their items;
// Cohen's kappa undefined where chance agreement is 1; ROC AUC with ties one half, for more than two classes the mean
// of one against the rest; undefined where a class or its rest is absent. Thread-safe when const.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "reports/statistics/resampled_ranking.h"

namespace vise {

class ClassPredictions {
 public:
  // y[i] in [0, classes); `scores` N x classes row-major, or N x 1 for two classes (the score of class 1).
  ClassPredictions(std::span<const int> y, std::span<const double> scores, std::size_t classes);
  // Predicted classes only: no ROC AUC.
  static ClassPredictions from_classes(std::span<const int> y, std::span<const int> predicted, std::size_t classes);

  // "accuracy", "balanced_accuracy", "f1_macro", "f1_weighted", "kappa", "auc"
  static bool knows(std::string_view metric);

  std::size_t size() const { return y_.size(); }
  std::span<const int> y() const { return y_; }
  std::span<const int> predicted() const { return predicted_; }

  // Values in the order of `metrics`; NaN where undefined. `counts` is empty (every item once) or one count an item.
  void evaluate(std::span<const std::string_view> metrics, std::span<const std::uint16_t> counts,
                std::span<double> values) const;
  // The same for kLanes resamples: `counts` is size() x kLanes, `values` metrics x kLanes, row-major.
  void evaluate_lanes(std::span<const std::string_view> metrics, std::span<const std::uint16_t> counts,
                      std::span<double> values) const;

 private:
  ClassPredictions() = default;
  template <std::size_t Lanes>
  void evaluate_all(std::span<const std::string_view> metrics, const std::uint16_t* counts, double* values) const;
  template <std::size_t Lanes>
  void auc(const std::uint16_t* counts, double* values) const;
  template <std::size_t Lanes>
  static void add_one_against_rest(const Ranking& ranking, const std::uint16_t* counts, double* sums);

  std::vector<int> y_, predicted_;
  std::size_t classes_ = 0;
  std::vector<Ranking> rankings_;  // one for two classes, one a class for more, none without scores
};

}  // namespace vise
