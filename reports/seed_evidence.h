// What one model's saved scores say on the items of a table's section: its predictions, its confidence, and every
// metric for resamples of the items.
//
//   const SeedEvidence seed = seed_evidence(saved, result);
//   seed.evaluate_lanes(metrics, counts, values);        // kLanes resamples at once; counts from Resampler::block
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "experiments/scores_file.h"
#include "reports/statistics/resampled_metrics.h"
#include "reports/statistics/resampled_scores.h"
#include "reports/statistics/resampled_soft.h"

namespace vise {

// Classes have `predictions` and `scored`, other targets `soft`.
struct SeedEvidence {
  std::optional<ClassPredictions> predictions;
  std::optional<ScoredClasses> scored;
  std::optional<SoftPredictions> soft;
  std::vector<double> positive;    // two classes: the score of the second against the first
  std::vector<double> confidence;  // classes: the predicted class's softmax probability

  // Of metrics in resampling_order(). `counts` is items x kLanes, `values` metrics x kLanes, row-major; NaN where
  // undefined.
  void evaluate_lanes(std::span<const std::string_view> metrics, std::span<const std::uint16_t> counts,
                      std::span<double> values) const;
};

// `saved` is in the section's order of items.
SeedEvidence seed_evidence(const SavedScores& saved, const Result& result);

// Those of `metrics` that can be resampled, in the order that evaluate_lanes wants: what counts predictions first.
std::vector<std::string> resampling_order(TargetKind kind, std::span<const std::string> metrics);

}  // namespace vise
