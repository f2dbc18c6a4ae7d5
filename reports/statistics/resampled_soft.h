// Metrics of multi-label, distribution and value targets for many resamples of one test set, as resampled_metrics.h has
// them for classes.
//
//   const SoftPredictions model(saved.scores, saved.targets, calibration);
//   model.evaluate_lanes(metrics, counts, values);    // kLanes resamples at once; counts from Resampler::block
//
// Definitions are those of probes/evaluate.h, with every item weighted by how often it was drawn; a test compares with
// evaluate() on the items themselves, written out. Most metrics are means of one number an item, which evaluate()
// gives. Thread-safe when const.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "probes/evaluate.h"
#include "reports/statistics/resampled_metrics.h"

namespace vise {

class SoftPredictions {
 public:
  // Every target is known. Error{input} where scores and targets don't match.
  SoftPredictions(const Scores& scores, const Targets& targets, const Calibration& calibration);

  static bool knows(TargetKind kind, std::string_view metric);

  std::size_t size() const { return items_; }
  // `counts` is size() x kLanes, `values` metrics x kLanes, row-major; NaN where undefined.
  void evaluate_lanes(std::span<const std::string_view> metrics, std::span<const std::uint16_t> counts,
                      std::span<double> values) const;

 private:
  // One value's truth and prediction, both less the mean of the truth, and each item's place among the distinct ones.
  struct ValueColumn {
    std::vector<double> truth, predicted;
    std::vector<std::uint32_t> truth_place, predicted_place;
    std::size_t truth_places = 0, predicted_places = 0;
  };
  using Counts = std::span<const std::uint16_t>;
  using Lane = std::span<double>;

  void add_item_means(const Scores& scores, const Targets& targets, const Calibration& calibration);
  void rank_labels(const Scores& scores);
  void add_columns(const Scores& scores, const Targets& targets);
  void mean_of_items(const std::vector<double>& per_item, Counts counts, Lane values) const;
  void label_f1(bool macro, Counts counts, Lane values) const;
  // Over all columns, or of "r2:NAME" alone.
  void mean_over_columns(std::string_view wanted, Counts counts, Lane values) const;

  TargetKind kind_;
  std::size_t items_ = 0, width_ = 0;
  std::map<std::string, std::vector<double>, std::less<>> per_item_;
  std::vector<Ranking> rankings_;   // one a label
  std::vector<std::string> names_;  // of the columns
  std::vector<std::int8_t> truth_;  // items x labels
  std::vector<std::uint8_t> said_;  // items x labels: the label is predicted
  std::vector<ValueColumn> columns_;
};

}  // namespace vise
