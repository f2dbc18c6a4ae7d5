#include "reports/statistics/seed_means.h"

#include <algorithm>
#include <array>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cassert>
#include <cmath>
#include <numeric>

namespace vise::reports {
namespace {

// The level for which kHalfWidths was solved.
constexpr double kTableLevel = 0.95;

// An outline: seed_mean() and seed_difference() estimate the mean, the seeds' share x of its variance and what seeds
// and images do together; weighted_sum() joins such means; test_seed_mean() takes v from the replicates and judges
// the mean by critical_half_width(x / v).

double mean_of_values(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// With ddof 1.
double variance_of(std::span<const double> values) {
  const double mean = mean_of_values(values);
  double sum = 0;
  for (const double v : values) sum += (v - mean) * (v - mean);
  return sum / static_cast<double>(values.size() - 1);
}

// The variance over seeds of what a resample changes, mean over the resamples that are defined.
double variance_of_changes(const ResampledSeeds& seeds) {
  std::vector<double> changes(seeds.values.size());
  double sum = 0;
  std::size_t defined = 0;
  for (std::size_t r = 0; r < seeds.replicates[0].size(); ++r) {
    // Less each seed's own value, so that only what resampling images does differently to the seeds is left.
    for (std::size_t s = 0; s < changes.size(); ++s) changes[s] = seeds.replicates[s][r] - seeds.values[s];
    if (const double variance = variance_of(changes); !std::isnan(variance)) sum += variance, ++defined;
  }
  return defined == 0 ? 0 : sum / static_cast<double>(defined);
}

// Satterthwaite's, of a sum of two estimates; 0 where neither has any.
double joint_df(double a, double df_a, double b, double df_b) {
  const double sum = (a + b) * (a + b), parts = (df_a > 0 ? a * a / df_a : 0) + (df_b > 0 ? b * b / df_b : 0);
  return parts > 0 ? sum / parts : 0;
}

// Two-sided, at `level`; of very many degrees of freedom the normal one.
double quantile_of_t(double df, double level) {
  constexpr double kNormal = 1e6;
  const double tail = (1 - level) / 2;
  if (df > kNormal) return boost::math::quantile(complement(boost::math::normal_distribution<double>(), tail));
  return boost::math::quantile(complement(boost::math::students_t_distribution<double>(df), tail));
}

// The two-sided p of t >= 0 with df degrees of freedom.
double two_sided_p(double df, double t) {
  constexpr double kNormal = 1e6;
  if (df > kNormal) return std::erfc(t / std::sqrt(2.0));
  return 2 * boost::math::cdf(complement(boost::math::students_t_distribution<double>(df), t));
}

// Satterthwaite's degrees of freedom of v + x, v known.
double whole_df(double ratio, double df) {
  if (std::isinf(ratio)) return df;
  const double share = ratio / (1 + ratio);
  return share < 1e-4 ? HUGE_VAL : df / (share * share);
}

// Half-widths by ratio: 0, then 1e-3 to 3e3 in even steps of its logarithm; a row for 1, 2, 3 and 4 degrees of freedom.
constexpr std::size_t kPlaces = 37, kRows = 4;
constexpr double kFirst = 1e-3, kLast = 3e3, kShift = 1e-4;
constexpr std::array<std::array<double, kPlaces>, kRows> kHalfWidths{
    {{1.96,  1.96,  1.96,  1.961, 1.961, 1.961, 1.961, 1.962, 1.962, 1.962, 1.962, 1.963, 1.965,
      3.448, 13.56, 14.22, 14.41, 14.53, 14.65, 14.87, 15.57, 19.18, 34.14, 51.27, 68.32, 86.02,
      105.6, 128.3, 155.2, 187.4, 226.1, 272.8, 329,   396.8, 478.6, 577.2, 696.1},
     {1.96,  1.961, 1.963, 1.964, 1.966, 1.968, 1.971, 1.976, 1.982, 1.993, 2.009, 2.032, 2.064,
      2.109, 2.187, 2.395, 3.294, 4.485, 5.406, 6.351, 7.654, 9.584, 12.06, 14.94, 18.33, 22.55,
      27.91, 34.63, 42.92, 53.1,  65.67, 81.2,  100.4, 124.3, 153.8, 190.4, 235.7},
     {1.96,  1.961, 1.962, 1.963, 1.965, 1.966, 1.969, 1.973, 1.979, 1.988, 2.004, 2.03,  2.069,
      2.129, 2.219, 2.366, 2.656, 3.253, 4.025, 4.844, 5.859, 7.228, 8.942, 11.01, 13.56, 16.77,
      20.76, 25.66, 31.71, 39.22, 48.54, 60.1,  74.4,  92.08, 113.9, 140.9, 174.3},
     {1.96,  1.961, 1.962, 1.963, 1.964, 1.966, 1.969, 1.973, 1.979, 1.989, 2.004, 2.029, 2.067,
      2.125, 2.215, 2.358, 2.597, 2.999, 3.586, 4.316, 5.218, 6.376, 7.834, 9.635, 11.87, 14.66,
      18.12, 22.39, 27.69, 34.25, 42.38, 52.43, 64.86, 80.26, 99.32, 122.9, 152.1}}};

// The ratio x / v at a place of the table.
double ratio_at(std::size_t place) {
  if (place == 0) return 0;
  return kFirst * std::pow(kLast / kFirst, static_cast<double>(place - 1) / static_cast<double>(kPlaces - 2));
}

// The row's logarithm, linear between places in log(ratio + kShift), in which it was solved for.
double tabled(double ratio, std::size_t row) {
  const double df = static_cast<double>(row + 1);
  // Beyond the table images bring next to nothing, and the law is t's of the seeds.
  if (ratio >= kLast) return std::log(quantile_of_t(df, kTableLevel)) + 0.5 * std::log1p(ratio);
  std::size_t place = 1;
  while (ratio > ratio_at(place)) ++place;
  const double low = std::log(ratio_at(place - 1) + kShift), high = std::log(ratio_at(place) + kShift);
  const double share = (std::log(ratio + kShift) - low) / (high - low);
  return std::log(kHalfWidths[row][place - 1]) * (1 - share) + std::log(kHalfWidths[row][place]) * share;
}

}  // namespace

double critical_half_width(double ratio, double df) {
  assert(df >= 1 && ratio >= 0);
  // Beyond the table's rows: Satterthwaite's approximation.
  if (df > kRows) return quantile_of_t(whole_df(ratio, df), kTableLevel) * std::sqrt(1 + ratio);
  const auto row = static_cast<std::size_t>(df) - 1;
  const double own = static_cast<double>(row + 1);
  if (df == own) return std::exp(tabled(ratio, row));
  // Between two rows linear in 1 / df, as quantiles of t nearly are.
  const double share = (1 / own - 1 / df) / (1 / own - 1 / (own + 1));
  return std::exp(tabled(ratio, row) * (1 - share) + tabled(ratio, row + 1) * share);
}

SeedMean seed_mean(const ResampledSeeds& seeds) {
  assert(!seeds.values.empty() && seeds.values.size() == seeds.replicates.size());
  const double count = static_cast<double>(seeds.values.size());
  SeedMean mean;
  mean.value = mean_of_values(seeds.values);
  mean.replicates.assign(seeds.replicates[0].size(), 0);
  for (const std::vector<double>& of_seed : seeds.replicates)
    for (std::size_t r = 0; r < of_seed.size(); ++r) mean.replicates[r] += of_seed[r] / count;
  if (seeds.values.size() == 1) return mean;
  // This part of the replicates' variance is in the spread over seeds already, and is taken out below.
  mean.together = variance_of_changes(seeds) / count;
  constexpr double kEqual = 1e-24;  // values of the same counts may differ in their last bits
  const double spread = variance_of(seeds.values);
  if (spread <= kEqual && mean.together <= kEqual) return mean;
  mean.seeds = spread / count;
  mean.df = count - 1;
  return mean;
}

SeedMean seed_difference(const ResampledSeeds& a, const ResampledSeeds& b) {
  const std::size_t of_a = a.values.size(), of_b = b.values.size();
  // Seeds pair off by number, since seed s draws the same subset for every backbone.
  if (of_a == of_b || of_a == 1 || of_b == 1) {
    ResampledSeeds change;
    for (std::size_t s = 0; s < std::max(of_a, of_b); ++s) {
      const std::size_t i = of_a == 1 ? 0 : s, j = of_b == 1 ? 0 : s;
      change.values.push_back(a.values[i] - b.values[j]);
      std::vector<double>& changes = change.replicates.emplace_back(a.replicates[i]);
      for (std::size_t r = 0; r < changes.size(); ++r) changes[r] -= b.replicates[j][r];
    }
    return seed_mean(change);
  }
  // Different numbers of seeds can't be paired: two independent means, whose seeds' variances add up.
  SeedMean mine = seed_mean(a);
  const SeedMean theirs = seed_mean(b);
  mine.value -= theirs.value;
  for (std::size_t r = 0; r < mine.replicates.size(); ++r) mine.replicates[r] -= theirs.replicates[r];
  mine.df = joint_df(mine.seeds, mine.df, theirs.seeds, theirs.df);
  mine.seeds += theirs.seeds;
  mine.together += theirs.together;
  return mine;
}

SeedMean weighted_sum(std::span<const SeedMean> parts, std::span<const double> weights) {
  SeedMean sum;
  // A part over drawn splits has two equal replicates, others thousands; the last one stands for all further ones.
  for (const SeedMean& part : parts) sum.replicates.resize(std::max(sum.replicates.size(), part.replicates.size()));
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const SeedMean& part = parts[i];
    const double weight = weights[i], square = weight * weight;
    sum.value += weight * part.value;
    for (std::size_t r = 0; r < sum.replicates.size(); ++r)
      sum.replicates[r] += weight * part.replicates[std::min(r, part.replicates.size() - 1)];
    sum.df = joint_df(sum.seeds, sum.df, square * part.seeds, part.df);
    sum.seeds += square * part.seeds;
    sum.together += square * part.together;
  }
  return sum;
}

SeedMean mean_of(std::span<const SeedMean> parts) {
  return weighted_sum(parts, std::vector(parts.size(), 1 / static_cast<double>(parts.size())));
}

double variance_of(const SeedMean& mean) {
  std::vector<double> defined;
  for (const double v : mean.replicates)
    if (!std::isnan(v)) defined.push_back(v);
  if (defined.size() < 2) return 0;
  // Clipped at 0: both terms are estimates, and with few images their difference may be negative.
  return std::max(0.0, variance_of(std::span<const double>(defined)) - mean.together) + mean.seeds;
}

SeedTest test_seed_mean(const SeedMean& mean, double level) {
  std::vector<double> defined;
  for (const double v : mean.replicates)
    if (!std::isnan(v)) defined.push_back(v);
  if (defined.size() < 2) return {};
  const double images = std::max(0.0, variance_of(defined) - mean.together), all = images + mean.seeds;
  constexpr double kNothing = 1e-24;
  if (all <= kNothing) return {};
  // Images that bring nothing leave x alone: then the mean is judged by the seeds' t.
  const double ratio = images > 1e-9 * all ? mean.seeds / images : HUGE_VAL, df = std::max(1.0, mean.df);
  // The table is of 95 %; other levels and p go by the t of as many degrees of freedom as the whole has.
  const double shape = mean.df > 0 ? whole_df(ratio, df) : HUGE_VAL, t = quantile_of_t(shape, kTableLevel);
  const double half = mean.df == 0        ? t * std::sqrt(all)
                      : std::isinf(ratio) ? quantile_of_t(df, kTableLevel) * std::sqrt(all)
                                          // p is the level at which the interval would just reach 0, by the t of the
                                          // whole's degrees of freedom.
                                          : critical_half_width(ratio, df) * std::sqrt(images);
  const double reach = half * quantile_of_t(shape, level) / t;
  return {two_sided_p(shape, std::fabs(mean.value) / half * t), Interval{mean.value - reach, mean.value + reach}};
}

}  // namespace vise::reports
