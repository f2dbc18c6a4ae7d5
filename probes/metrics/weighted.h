// Metrics over weighted rows. Each is defined once: with every row counting one it is the metric of a test set, with a
// bootstrap's counts it is that of a resample.
//
//   const WeightedMetrics metrics(scores, targets, calibration);   // sorts, compares and divides once
//   metrics.evaluate(names, {}, values);                           // of the rows themselves: one value a name
//   metrics.evaluate(names, counts, values);                       // of kLanes resamples: names x kLanes values
//
// A resample is a count a row: how often it was drawn. Resamples are worked on side by side: one row's counts in all of
// them are neighbours, so the inner loops are vector additions. A weighted metric equals that of the rows written out
// as often as they count, but for rounding. Names and conventions: evaluate.h and metrics.h. Thread-safe when const.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/targets.h"
#include "probes/metrics/lanes.h"
#include "probes/probe.h"
#include "probes/views.h"

namespace vise::probes {

class MetricFamily;

class WeightedMetrics {
 public:
  // Every target is known. `scores` has a column a class, label or value; for two classes it may have one, the logit of
  // the second. With `only`, no more is prepared than that metric needs. Error{input} where scores and targets don't
  // match.
  WeightedMetrics(const Scores& scores, const datasets::Targets& targets, const Calibration& calibration,
                  std::string_view only = {});

  // What these rows have: evaluate.h says which.
  std::vector<std::string> names() const;

  // `counts`: empty (every row once), a count a row, or rows x kLanes, row-major. `values`: a row of lanes a name; NaN
  // where a metric is undefined, and where names() lacks it.
  void evaluate(std::span<const std::string_view> names, std::span<const std::uint16_t> counts,
                std::span<double> values) const;

 private:
  std::size_t rows_ = 0;
  std::vector<std::shared_ptr<const MetricFamily>> families_;  // copies share them
};

}  // namespace vise::probes
