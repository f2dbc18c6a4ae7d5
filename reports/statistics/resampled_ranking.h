// ROC AUC and average precision of rankings of weighted items, kLanes resamples at once (resampled_metrics.h).
//
//   const Ranking ranking = rank_items(scores, truth);
//   mean_over_rankings({&ranking, 1}, RankMetric::auc, counts, values);
//
// Definitions as in probes/metrics.h: ties of AUC count one half; average precision has no interpolation; a mean leaves
// out rankings for which the metric is undefined, and is NaN where all are.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace vise {

// Resamples that are worked on side by side.
inline constexpr std::size_t kLanes = 64;

// The items whose truth is known, by falling score; equal scores form a group.
struct Ranking {
  std::vector<std::uint32_t> order;
  std::vector<std::uint8_t> ends_group;   // 1: the next item has another score, or there is none
  std::vector<std::uint8_t> is_positive;  // of order[i]
};

// truth[i]: 1 positive, 0 negative, -1 unknown. The spans are equally long.
Ranking rank_items(std::span<const double> scores, std::span<const std::int8_t> truth);

enum class RankMetric { auc, average_precision };

// `counts` is items x kLanes, row-major; writes kLanes values.
void mean_over_rankings(std::span<const Ranking> rankings, RankMetric metric, std::span<const std::uint16_t> counts,
                        std::span<double> values);

}  // namespace vise
