#include "reports/statistics/mcnemar.h"

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <cassert>
#include <cmath>

namespace vise {

McNemar mcnemar(std::uint64_t only_a, std::uint64_t only_b) {
  McNemar test;
  test.b = only_a;
  test.c = only_b;
  if (only_a + only_b == 0) return test;
  const double n = static_cast<double>(only_a + only_b), m = static_cast<double>(std::min(only_a, only_b));
  const boost::math::binomial_distribution<double> half(n, 0.5);
  const double tail = boost::math::cdf(half, m);
  test.p_exact = std::min(1.0, 2 * tail);
  test.p_mid = std::min(1.0, 2 * tail - boost::math::pdf(half, m));
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

}  // namespace vise
