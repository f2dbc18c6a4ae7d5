#include "reports/statistics/paired_t.h"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cassert>
#include <cmath>
#include <vector>

namespace vise::reports {

PairedT paired_t(std::span<const double> a, std::span<const double> b, double level) {
  assert(a.size() == b.size() && !a.empty());
  const double n = static_cast<double>(a.size());
  std::vector<double> differences(a.size());
  double sum = 0, largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    differences[i] = a[i] - b[i];
    sum += differences[i];
    largest = std::max({largest, std::fabs(a[i]), std::fabs(b[i])});
  }
  PairedT test{sum / n, static_cast<std::int64_t>(a.size()) - 1, {}, {}, {}};
  const auto [low, high] = std::ranges::minmax(differences);
  const bool equal = high - low <= 1e-14 * largest;  // equal up to the rounding of the subtraction
  // Equal differences have no variance: t would be infinite, and p an artefact of rounding.
  if (a.size() < 2 || equal) return test;
  double squares = 0;
  for (const double d : differences) squares += (d - test.mean_difference) * (d - test.mean_difference);
  // The standard error of the mean: s / sqrt(n), with s^2 the variance of the differences (ddof 1).
  const double error = std::sqrt(squares / (n - 1) / n);
  const boost::math::students_t law(n - 1);
  test.t = test.mean_difference / error;
  test.p = 2 * boost::math::cdf(complement(law, std::fabs(*test.t)));
  const double half = boost::math::quantile(complement(law, (1 - level) / 2)) * error;
  test.interval = Interval{test.mean_difference - half, test.mean_difference + half};
  return test;
}

}  // namespace vise::reports
