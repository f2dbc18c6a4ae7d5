// Intervals of a proportion, k right of n. Exactly 0 below k = 0 and exactly 1 above k = n; nothing for n = 0.
#pragma once

#include <cstdint>
#include <optional>

#include "reports/statistics/interval.h"

namespace vise::reports {

// Wilson's score interval (1927), without continuity correction. `level` as 0.95.
std::optional<Interval> wilson_interval(std::uint64_t k, std::uint64_t n, double level);
// Clopper and Pearson's exact interval (1934), from the beta distribution's quantiles.
std::optional<Interval> clopper_pearson_interval(std::uint64_t k, std::uint64_t n, double level);

}  // namespace vise::reports
