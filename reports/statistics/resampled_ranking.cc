#include "reports/statistics/resampled_ranking.h"

#include <algorithm>
#include <array>
#include <limits>

namespace vise {
namespace {

using Sums = std::array<double, kLanes>;

void add(Sums& sums, const std::uint16_t* counts) {
  for (std::size_t r = 0; r < kLanes; ++r) sums[r] += counts[r];
}

// Adds the ranking's metric to `total` where it is defined, and counts it there.
void add_ranking(const Ranking& ranking, RankMetric metric, std::span<const std::uint16_t> counts, Sums& total,
                 Sums& defined) {
  const bool precision = metric == RankMetric::average_precision;
  Sums above{}, seen{}, group_hits{}, group_size{}, sum{};
  for (std::size_t j = 0; j < ranking.order.size(); ++j) {
    const std::uint16_t* const c = counts.data() + ranking.order[j] * kLanes;
    add(group_size, c);
    if (ranking.is_positive[j]) add(group_hits, c);
    if (!ranking.ends_group[j]) continue;
    for (std::size_t r = 0; r < kLanes; ++r) {
      if (!precision) sum[r] += (group_size[r] - group_hits[r]) * (2 * above[r] + group_hits[r]);
      above[r] += group_hits[r];
      seen[r] += group_size[r];
      if (precision && group_hits[r] > 0) sum[r] += group_hits[r] * (above[r] / seen[r]);
    }
    group_hits = group_size = {};
  }
  for (std::size_t r = 0; r < kLanes; ++r) {
    const double negatives = seen[r] - above[r];
    if (above[r] == 0 || (!precision && negatives == 0)) continue;
    total[r] += precision ? sum[r] / above[r] : sum[r] / (2 * above[r] * negatives);
    ++defined[r];
  }
}

}  // namespace

Ranking rank_items(std::span<const double> scores, std::span<const std::int8_t> truth) {
  Ranking ranking;
  for (std::uint32_t i = 0; i < truth.size(); ++i)
    if (truth[i] >= 0) ranking.order.push_back(i);
  std::ranges::stable_sort(ranking.order, std::greater{}, [&](std::uint32_t i) { return scores[i]; });
  for (std::size_t j = 0; j < ranking.order.size(); ++j) {
    const bool last = j + 1 == ranking.order.size();
    ranking.ends_group.push_back(last || scores[ranking.order[j + 1]] != scores[ranking.order[j]]);
    ranking.is_positive.push_back(truth[ranking.order[j]] == 1);
  }
  return ranking;
}

void mean_over_rankings(std::span<const Ranking> rankings, RankMetric metric, std::span<const std::uint16_t> counts,
                        std::span<double> values) {
  Sums total{}, defined{};
  for (const Ranking& ranking : rankings) add_ranking(ranking, metric, counts, total, defined);
  for (std::size_t r = 0; r < kLanes; ++r)
    values[r] = defined[r] > 0 ? total[r] / defined[r] : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace vise
