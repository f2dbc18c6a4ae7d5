#include "reports/statistics/mcnemar.h"

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <cassert>
#include <cmath>

#include "reports/statistics/intervals.h"

namespace vise::reports {

McNemar mcnemar(std::uint64_t only_a, std::uint64_t only_b) {
  McNemar test;
  test.b = only_a;
  test.c = only_b;
  // Two models that are right on the same images give no evidence either way: p stays 1.
  if (only_a + only_b == 0) return test;
  const double n = static_cast<double>(only_a + only_b), m = static_cast<double>(std::min(only_a, only_b));
  // Given that the two differ on an image, either is right on it with probability 1/2 under the null hypothesis.
  const boost::math::binomial_distribution<double> half(n, 0.5);
  const double tail = boost::math::cdf(half, m);
  test.p_exact = std::min(1.0, 2 * tail);
  // Mid-p counts the observed table half, which makes the exact test less conservative
  // (Fagerland et al. 2013).
  test.p_mid = std::min(1.0, 2 * tail - boost::math::pdf(half, m));
  // Edwards' continuity correction; reported beside the exact test since other programs print it.
  const double excess = std::max(0.0, std::fabs(static_cast<double>(only_a) - static_cast<double>(only_b)) - 1);
  test.chi2_continuity = excess * excess / n;
  test.p_chi2_continuity = std::erfc(std::sqrt(test.chi2_continuity / 2));
  return test;
}

McNemar mcnemar(std::span<const std::uint8_t> right_a, std::span<const std::uint8_t> right_b) {
  assert(right_a.size() == right_b.size());
  std::uint64_t only_a = 0, only_b = 0;
  for (std::size_t i = 0; i < right_a.size(); ++i) {
    only_a += right_a[i] && !right_b[i];
    only_b += right_b[i] && !right_a[i];
  }
  return mcnemar(only_a, only_b);
}

std::optional<Interval> mcnemar_interval(const McNemar& test, std::uint64_t items, double level) {
  const std::uint64_t differ = test.b + test.c;
  if (differ == 0) return std::nullopt;
  const double rate = static_cast<double>(differ) / static_cast<double>(items);
  // The difference is a product: of the images on which they differ, the share that speaks for A less that for B, and
  // how often they differ.
  const double share = 2 * static_cast<double>(test.b) / static_cast<double>(differ) - 1, difference = share * rate;
  const Interval of_share = *clopper_pearson_interval(test.b, differ, level),
                 of_rate = *clopper_pearson_interval(differ, items, level);
  // An end of the product of share and rate, from an end of each: both errors together, as if at right angles. One that
  // the test keeps away from 0 stays away: at both ends at once it is on the same side.
  const auto end = [&](double share_end, double rate_end, double sign) {
    const double given = (2 * share_end - 1) * rate;
    const double reach = std::hypot(given - difference, share * (rate_end - rate));
    const double moved = difference + sign * reach, same_side = (2 * share_end - 1) * rate_end;
    if (sign * given >= 0) return sign * std::min(1.0, sign * moved);
    return sign > 0 ? std::min(moved, same_side) : std::max(moved, same_side);
  };
  const bool row_is_better = share >= 0;
  return Interval{end(of_share.low, row_is_better ? of_rate.low : of_rate.high, -1),
                  end(of_share.high, row_is_better ? of_rate.high : of_rate.low, 1)};
}

}  // namespace vise::reports
