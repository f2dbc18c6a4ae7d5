#include "reports/statistics/intervals.h"

#include <boost/math/distributions/beta.hpp>
#include <boost/math/distributions/normal.hpp>
#include <cmath>

namespace vise::reports {

std::optional<Interval> wilson_interval(std::uint64_t k, std::uint64_t n, double level) {
  if (n == 0) return std::nullopt;
  // Wilson 1927: the values of p that a score test would not reject, solved in closed form.
  const double z = boost::math::quantile(complement(boost::math::normal(), (1 - level) / 2));
  const double count = static_cast<double>(n), p = static_cast<double>(k) / count, scale = 1 + z * z / count;
  const double middle = (p + z * z / (2 * count)) / scale;
  const double half = z / scale * std::sqrt(p * (1 - p) / count + z * z / (4 * count * count));
  // At 0 and n the formula's end is 0 or 1 up to rounding.
  return Interval{k == 0 ? 0.0 : middle - half, k == n ? 1.0 : middle + half};
}

std::optional<Interval> clopper_pearson_interval(std::uint64_t k, std::uint64_t n, double level) {
  if (n == 0) return std::nullopt;
  using Beta = boost::math::beta_distribution<double>;
  // P[Bin(n, p) >= k] = I_p(k, n - k + 1): the lower end is that beta law's quantile; the upper end mirrors it.
  const double tail = (1 - level) / 2, right = static_cast<double>(k), wrong = static_cast<double>(n - k);
  // Clopper & Pearson 1934: the ends where a binomial tail is exactly (1 - level) / 2, by
  // the tail's identity with the beta distribution.
  return Interval{k == 0 ? 0.0 : boost::math::quantile(Beta(right, wrong + 1), tail),
                  k == n ? 1.0 : boost::math::quantile(complement(Beta(right + 1, wrong), tail))};
}

}  // namespace vise::reports
