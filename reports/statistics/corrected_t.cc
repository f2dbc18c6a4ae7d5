#include "reports/statistics/corrected_t.h"

#include <boost/math/distributions/students_t.hpp>
#include <cassert>
#include <cmath>
#include <numeric>

namespace vise::reports {

CorrectedT corrected_t(std::span<const double> values, double test_to_train, double level) {
  assert(!values.empty());
  const double count = static_cast<double>(values.size());
  CorrectedT result;
  result.mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  if (values.size() < 2) return result;
  double squares = 0;
  for (const double v : values) squares += (v - result.mean) * (v - result.mean);
  constexpr double kEqual = 1e-24;  // accuracies of the same counts may differ in their last bits
  if (squares <= kEqual) {
    if (std::fabs(result.mean) < 1e-12) result.p = 1;
    return result;
  }
  // Nadeau & Bengio 2003: 1/n alone would treat overlapping training sets as independent.
  const double error = std::sqrt((1 / count + test_to_train) * squares / (count - 1));
  const boost::math::students_t_distribution<double> t(count - 1);
  result.t = result.mean / error;
  result.p = 2 * boost::math::cdf(boost::math::complement(t, std::fabs(*result.t)));
  const double reach = error * boost::math::quantile(boost::math::complement(t, (1 - level) / 2));
  result.interval = {result.mean - reach, result.mean + reach};
  return result;
}

}  // namespace vise::reports
