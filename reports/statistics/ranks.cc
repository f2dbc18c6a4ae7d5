#include "reports/statistics/ranks.h"

#include <algorithm>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/fisher_f.hpp>
#include <cassert>
#include <cmath>
#include <numeric>

namespace vise::reports {
namespace {

constexpr double kTied = 1e-12;

// Calls `group(first, last)` for each run of tied values in an order of them.
void for_each_tie(std::span<const double> values, std::span<const std::size_t> order, auto&& group) {
  for (std::size_t first = 0, last = 0; first < order.size(); first = last) {
    for (last = first + 1; last < order.size(); ++last)
      // Accuracies of the same counts may differ in their last bits; they share a rank.
      if (std::fabs(values[order[last]] - values[order[last - 1]]) > kTied) break;
    group(first, last);
  }
}

// Places from the largest value to the smallest.
std::vector<std::size_t> falling_order(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), 0u);
  std::ranges::stable_sort(order, std::greater{}, [&](std::size_t i) { return values[i]; });
  return order;
}

double normal_density(double z) { return 0.3989422804014326779 * std::exp(-z * z / 2); }
double normal_below(double z) { return std::erfc(-z / std::sqrt(2.0)) / 2; }

// P[range of k standard normal values <= q] = k int phi(z) (Phi(z) - Phi(z - q))^(k - 1) dz over the largest value z.
// The integrand is analytic and falls like exp(-z^2 / 2) on both sides: equal steps converge faster than any power.
double range_at_most(double q, double k) {
  constexpr double kStep = 1.0 / 32, kEdge = 9;
  double sum = 0;
  for (double z = -kEdge; z <= kEdge + q; z += kStep)
    sum += normal_density(z) * std::pow(normal_below(z) - normal_below(z - q), k - 1);
  return k * sum * kStep;
}

}  // namespace

std::vector<double> average_ranks(std::span<const double> values) {
  const std::vector<std::size_t> order = falling_order(values);
  std::vector<double> ranks(values.size());
  for_each_tie(values, order, [&](std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) ranks[order[i]] = static_cast<double>(first + last + 1) / 2;
  });
  return ranks;
}

std::vector<double> mean_ranks(std::span<const double> scores, std::size_t models) {
  assert(models > 0 && scores.size() % models == 0);
  std::vector<double> sums(models);
  const std::size_t tasks = scores.size() / models;
  for (std::size_t t = 0; t < tasks; ++t) {
    const std::vector<double> ranks = average_ranks(scores.subspan(t * models, models));
    for (std::size_t m = 0; m < models; ++m) sums[m] += ranks[m];
  }
  for (double& sum : sums) sum /= static_cast<double>(tasks);
  return sums;
}

// Demsar 2006, section 3.2.2: chi2 = 12 T / (k (k + 1)) sum (R_j - (k + 1) / 2)^2, over the correction for ties.
Friedman friedman(std::span<const double> scores, std::size_t models) {
  Friedman test;
  if (models < 3) return test;
  const double k = static_cast<double>(models), tasks = static_cast<double>(scores.size() / models);
  double squares = 0, ties = 0;  // of the mean ranks' distance from (k + 1) / 2; sum of t^3 - t over groups of ties
  for (const double rank : mean_ranks(scores, models)) squares += (rank - (k + 1) / 2) * (rank - (k + 1) / 2);
  for (std::size_t t = 0; t < scores.size() / models; ++t) {
    const auto row = scores.subspan(t * models, models);
    for_each_tie(row, falling_order(row), [&](std::size_t first, std::size_t last) {
      const double size = static_cast<double>(last - first);
      ties += size * size * size - size;
    });
  }
  // The correction for ties of Friedman's statistic (Conover 1999, section 5.8).
  const double correction = 1 - ties / (tasks * k * (k * k - 1));
  // Every task ties all models.
  if (correction < 1e-12) return test;
  test.chi2 = 12 * tasks / (k * (k + 1)) * squares / correction;
  test.p = boost::math::cdf(complement(boost::math::chi_squared(k - 1), *test.chi2));
  const double rest = tasks * (k - 1) - *test.chi2;
  if (rest <= 1e-9) return test;
  // Iman & Davenport 1980: the same statistic against an F, less conservative with few tasks.
  test.f = (tasks - 1) * *test.chi2 / rest;
  test.p_f = boost::math::cdf(complement(boost::math::fisher_f(k - 1, (k - 1) * (tasks - 1)), *test.f));
  return test;
}

double studentized_range(std::size_t k, double alpha) {
  assert(k >= 2);
  // Bisection: the probability rises with q, and 60 halvings leave nothing of a double to halve.
  double low = 0, high = 20;
  for (int halving = 0; halving < 60; ++halving) {
    const double middle = (low + high) / 2;
    (range_at_most(middle, static_cast<double>(k)) < 1 - alpha ? low : high) = middle;
  }
  return high;
}

double critical_difference(std::size_t models, std::size_t tasks, double alpha) {
  const double k = static_cast<double>(models);
  // Nemenyi's critical difference (Demsar 2006, section 3.2.2).
  return studentized_range(models, alpha) / std::sqrt(2.0) * std::sqrt(k * (k + 1) / (6 * static_cast<double>(tasks)));
}

}  // namespace vise::reports
