#include "reports/statistics/detectable.h"

#include <boost/math/distributions/normal.hpp>
#include <cmath>

namespace vise::reports {

std::optional<double> detectable_difference(std::uint64_t items, double discordant_rate, double alpha, double power) {
  if (items == 0 || discordant_rate <= 0) return std::nullopt;
  const boost::math::normal law;
  const double za = quantile(complement(law, alpha / 2)), zb = quantile(law, power), n = static_cast<double>(items);
  const double inside = n + zb * zb - za * za;
  if (inside < 0) return std::nullopt;
  // Solved for d from McNemar's sample size (Connor 1987): (za sqrt(r) + zb sqrt(r - d^2))^2 =
  // n d^2, r being the share of images on which the two differ.
  const double d = std::sqrt(discordant_rate) * (za * std::sqrt(n) + zb * std::sqrt(inside)) / (n + zb * zb);
  // A difference can't be larger than the share of images on which the two models disagree.
  if (d > discordant_rate) return std::nullopt;
  return d;
}

// The mean of T tasks has the variance sum(1 / n_t) / T^2, which one task of T^2 / sum(1 / n_t) images has too.
std::optional<double> detectable_mean_difference(std::span<const std::uint64_t> items, double discordant_rate,
                                                 double alpha, double power) {
  double sum = 0;
  for (const std::uint64_t n : items) {
    if (n == 0) return std::nullopt;
    sum += 1 / static_cast<double>(n);
  }
  const double tasks = static_cast<double>(items.size());
  return detectable_difference(items.empty() ? 0 : static_cast<std::uint64_t>(tasks * tasks / sum), discordant_rate,
                               alpha, power);
}

}  // namespace vise::reports
