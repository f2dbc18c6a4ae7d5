#include "reports/statistics/delong.h"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <cassert>
#include <cmath>
#include <numeric>
#include <vector>

namespace vise::reports {
namespace {

// A difference of two AUCs that is 0 but for rounding: with it z would be a quotient of two roundings.
constexpr double kZeroVariance = 1e-18;

// Ranks from 1; ties share the mean of theirs.
std::vector<double> mid_ranks(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return values[i]; });
  std::vector<double> ranks(values.size());
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    for (std::size_t i = begin; i < end; ++i) ranks[order[i]] = static_cast<double>(begin + 1 + end) / 2;
  }
  return ranks;
}

// The share of the other class that each item is on the right side of.
struct Placements {
  std::vector<double> positives, negatives;
};

Placements placements(const std::vector<double>& positives, const std::vector<double>& negatives) {
  std::vector<double> both = positives;
  both.insert(both.end(), negatives.begin(), negatives.end());
  const auto overall = mid_ranks(both), among_positives = mid_ranks(positives), among_negatives = mid_ranks(negatives);
  const std::size_t m = positives.size(), n = negatives.size();
  Placements result{std::vector<double>(m), std::vector<double>(n)};
  // Sun & Xu 2014: placements from ranks, in n log n in place of all pairs.
  for (std::size_t i = 0; i < m; ++i) result.positives[i] = (overall[i] - among_positives[i]) / static_cast<double>(n);
  for (std::size_t j = 0; j < n; ++j)
    result.negatives[j] = 1 - (overall[m + j] - among_negatives[j]) / static_cast<double>(m);
  return result;
}

// The mean of the positives' placements is the AUC (Mann and Whitney's statistic over m n).
double mean(const std::vector<double>& x) {
  return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
}

double sample_covariance(const std::vector<double>& x, const std::vector<double>& y) {
  const double mean_x = mean(x), mean_y = mean(y);
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += (x[i] - mean_x) * (y[i] - mean_y);
  return sum / static_cast<double>(x.size() - 1);
}

double auc_covariance(const Placements& a, const Placements& b) {
  // DeLong et al. 1988: positives and negatives are two independent samples, each with
  // the covariance of its placements.
  return sample_covariance(a.positives, b.positives) / static_cast<double>(a.positives.size()) +
         sample_covariance(a.negatives, b.negatives) / static_cast<double>(a.negatives.size());
}

Placements placements_of(std::span<const int> y, std::span<const double> scores) {
  std::vector<double> positives, negatives;
  for (std::size_t i = 0; i < y.size(); ++i) (y[i] != 0 ? positives : negatives).push_back(scores[i]);
  return placements(positives, negatives);
}

}  // namespace

// The variance of a difference of two AUCs on the same items is that of both less twice their covariance.
DeLong delong(std::span<const int> y, std::span<const double> a, std::span<const double> b) {
  assert(y.size() == a.size() && y.size() == b.size());
  DeLong test;
  const std::size_t positives = y.size() - static_cast<std::size_t>(std::ranges::count(y, 0));
  const std::size_t negatives = y.size() - positives;
  if (positives == 0 || negatives == 0) return test;
  const Placements of_a = placements_of(y, a), of_b = placements_of(y, b);
  test.auc_a = mean(of_a.positives);
  test.auc_b = mean(of_b.positives);
  if (positives < 2 || negatives < 2) return test;
  test.var_a = auc_covariance(of_a, of_a);
  test.var_b = auc_covariance(of_b, of_b);
  test.cov = auc_covariance(of_a, of_b);
  const double variance = *test.var_a + *test.var_b - 2 * *test.cov;
  // Equal rankings: the difference has no variance and the test nothing to say.
  if (variance < kZeroVariance) return test;
  test.z = (*test.auc_a - *test.auc_b) / std::sqrt(variance);
  test.p = std::erfc(std::fabs(*test.z) / std::sqrt(2.0));
  return test;
}

std::optional<Interval> delong_interval(const DeLong& test, double level) {
  if (!test.z) return std::nullopt;
  const double difference = *test.auc_a - *test.auc_b;
  const double error = std::sqrt(*test.var_a + *test.var_b - 2 * *test.cov);
  const double reach = error * boost::math::quantile(complement(boost::math::normal(), (1 - level) / 2));
  return Interval{difference - reach, difference + reach};
}

}  // namespace vise::reports
