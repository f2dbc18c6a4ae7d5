// Means over few seeds: that nothing is called different more often than promised, whatever part of the error is the
// seeds', and what that costs in power.
#include "reports/statistics/seed_means.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>

#include "base/random.h"
#include "reports/statistics/bootstrap.h"

namespace vise::reports {
namespace {

constexpr double kAlpha = 0.05;

bool excludes_zero(const Interval& interval) { return interval.low > 0 || interval.high < 0; }

// Estimates of a variance of 1 with df degrees of freedom: the middles of `count` equally probable slices of
// chi-squared / df, by drawing many.
std::vector<double> estimates(int df, std::size_t count) {
  constexpr std::size_t kOversampled = 200;
  RandomStream random("seed tests/chi-squared", static_cast<std::uint64_t>(df));
  std::vector<double> drawn(count * kOversampled);
  for (double& v : drawn)
    for (int i = 0; i < df; ++i) v += std::pow(random.normal(), 2) / df;
  std::ranges::sort(drawn);
  std::vector<double> middles;
  for (std::size_t i = 0; i < count; ++i) middles.push_back(drawn[i * kOversampled + kOversampled / 2]);
  return middles;
}

// How often a mean is called different from 0 that is `truth` of its standard errors from it, `share` of whose
// variance is the seeds': exactly over the mean, by slices over the estimate.
double rejected(double truth, double share, int df, const std::vector<double>& of_seeds) {
  const auto above = [](double z) { return std::erfc(z / std::sqrt(2.0)) / 2; };
  const double a = std::sqrt((1 - share) / 2);  // two resamples, of variance 1 - share
  double sum = 0;
  for (const double estimate : of_seeds) {
    const SeedTest test = test_seed_mean({0, {-a, a}, share * estimate, static_cast<double>(df), 0}, 0.95);
    const double half = test.interval->high;
    sum += above(half - truth) + above(half + truth);
  }
  return sum / static_cast<double>(of_seeds.size());
}

constexpr double kShares[] = {0,   0.01, 0.03, 0.05, 0.1,  0.15, 0.2,  0.25, 0.3,  0.4,
                              0.5, 0.6,  0.7,  0.8,  0.85, 0.9,  0.95, 0.98, 0.99, 1};

// In normal theory, at every ratio: 1, 2, 4 and 9 degrees of freedom are 2, 3, 5 and 10 seeds.
TEST(SeedTests, RejectFivePercentAtEveryRatioOfTheTwoVariances) {
  for (const int df : {1, 2, 3, 4, 9}) {
    const std::vector<double> of_seeds = estimates(df, 1000);
    double low = 1, high = 0;
    for (const double share : kShares) {
      const double rate = rejected(0, share, df, of_seeds);
      low = std::min(low, rate);
      high = std::max(high, rate);
      EXPECT_NEAR(rate, kAlpha, 0.01) << df + 1 << " seeds, share of seeds " << share;
    }
    std::printf("  %d seeds: %.4f to %.4f rejected\n", df + 1, low, high);
  }
}

// Beside a test that knows both variances, which finds 80 % at a difference of 2.80 standard errors.
TEST(SeedTests, CostPowerWhereSeedsAreFewAndTheirSpreadIsLarge) {
  for (const int df : {1, 2, 4, 9}) {
    const std::vector<double> of_seeds = estimates(df, 1000);
    std::printf("  %2d seeds: power", df + 1);
    double before = 1;
    for (const double share : {0.0, 0.1, 0.3, 0.5, 0.9}) {
      const double power = rejected(2.8016, share, df, of_seeds);
      std::printf(" %.2f", power);
      EXPECT_LE(power, before + 0.01) << df << " " << share;
      EXPECT_TRUE(share > 0 || std::fabs(power - 0.8) < 0.001) << power;
      before = power;
    }
    std::printf(" with 0, 10, 30, 50, 90 %% of the variance from seeds\n");
  }
}

TEST(SeedTests, HaveAnIntervalThatExcludesZeroWherePIsBelowFivePercent) {
  RandomStream random("seed tests/agree", 0);
  for (int run = 0; run < 5000; ++run) {
    const double a = random.uniform(), df = 1 + 9 * random.uniform();
    const SeedTest test = test_seed_mean({10 * random.normal(), {-a, a}, 10 * random.uniform(), df, 0}, 0.95);
    EXPECT_EQ(excludes_zero(*test.interval), *test.p < kAlpha);
  }
}

TEST(SeedTests, AreContinuousInTheirDegreesOfFreedomAndInTheRatio) {
  for (const double ratio : {0.0, 0.01, 0.1, 1.0, 10.0, 1000.0, 1e5}) {
    for (const double df : {1.0, 2.0, 3.0, 4.0})
      EXPECT_NEAR(critical_half_width(ratio, df + 1e-9), critical_half_width(ratio, df),
                  0.04 * critical_half_width(ratio, df))
          << ratio << " " << df;
    EXPECT_GE(critical_half_width(ratio, 1), critical_half_width(ratio, 2) * 0.95);
    EXPECT_GE(critical_half_width(ratio, 2) * 1.001, critical_half_width(ratio, 5));
  }
  EXPECT_NEAR(critical_half_width(0, 1), 1.95996, 1e-3);
  EXPECT_NEAR(critical_half_width(1e6, 1) / 1000, 12.7062, 0.01);
}

// `seeds` models a row, right with probabilities that differ by image, from run to run by `spread`, and, where a seed
// stands for a sample of train that both rows learn from, together.
struct Null {
  std::size_t seeds;
  double spread;
  bool few_shots;
};

double rejected_over_seeds(const Null& null, int runs) {
  constexpr std::size_t kItems = 200, kBlocks = 3;
  RandomStream random("simulation/seeds", null.seeds + 100 * null.few_shots);
  std::vector<std::uint16_t> counts(probes::kLanes * kItems);
  int rejected = 0;
  for (int run = 0; run < runs; ++run) {
    std::vector<double> ease(kItems), liking(kItems);  // each row has images of its own that it is good at
    for (double& e : ease) e = random.uniform() < 0.5 ? 0.15 : -0.15;
    for (double& l : liking) l = random.uniform() < 0.5 ? 0.12 : -0.12;
    std::vector<double> of_sample(null.seeds);
    for (double& s : of_sample) s = null.few_shots ? 0.05 * random.normal() : 0;
    ResampledSeeds rows[2];
    const Resampler resampler(std::vector<int>(kItems, 0), "simulation/items", static_cast<std::uint64_t>(run));
    std::vector<std::vector<std::uint8_t>> right;
    for (const int row : {0, 1})
      for (std::size_t s = 0; s < null.seeds; ++s) {
        const double skill = 0.65 + of_sample[s] + null.spread * random.normal();
        std::vector<std::uint8_t>& of_seed = right.emplace_back(kItems);
        for (std::size_t i = 0; i < kItems; ++i)
          of_seed[i] = random.uniform() < skill + ease[i] + (row ? liking[i] : -liking[i]);
        rows[row].values.push_back(std::accumulate(of_seed.begin(), of_seed.end(), 0.0) / kItems);
        rows[row].replicates.emplace_back();
      }
    for (std::size_t block = 0; block < kBlocks; ++block) {
      resampler.block(block, counts);
      for (std::size_t m = 0; m < right.size(); ++m) {
        std::vector<int> sums(probes::kLanes);
        for (std::size_t i = 0; i < kItems; ++i)
          if (right[m][i])
            for (std::size_t r = 0; r < probes::kLanes; ++r) sums[r] += counts[i * probes::kLanes + r];
        for (const int sum : sums)
          rows[m / null.seeds].replicates[m % null.seeds].push_back(static_cast<double>(sum) / kItems);
      }
    }
    const SeedTest test = test_seed_mean(seed_difference(rows[0], rows[1]), 0.95);
    rejected += test.p && *test.p < kAlpha;
  }
  return static_cast<double>(rejected) / runs;
}

TEST(SeedTests, OfAccuraciesRejectFivePercentAtEverySpreadFewShotSamplesIncluded) {
  constexpr int kRuns = 5000;
  for (const std::size_t seeds : {2u, 3u, 5u, 10u})
    for (const bool few_shots : {false, true})
      for (const double spread : {0.0, 0.05}) {
        const double rate = rejected_over_seeds({seeds, spread, few_shots}, kRuns);
        std::printf("  %zu seeds, spread %.2f%s: %.3f rejected\n", seeds, spread, few_shots ? ", few shots" : "", rate);
        EXPECT_NEAR(rate, kAlpha, 0.01) << seeds << " " << spread << " " << few_shots;
      }
}

// Rows of unequal numbers of seeds are not paired by seed.
TEST(SeedMeans, OfUnequalNumbersHaveBothRowsVariances) {
  const ResampledSeeds two{{0.5, 0.7}, {{0.5, 0.5}, {0.7, 0.7}}},
      three{{0.1, 0.2, 0.3}, {{0.1, 0.1}, {0.2, 0.2}, {0.3, 0.3}}}, one{{0.4}, {{0.4, 0.4}}};
  const SeedMean change = seed_difference(two, three);
  const double a = 0.02 / 2, b = 0.01 / 3;
  EXPECT_NEAR(change.value, 0.4, 1e-12);
  EXPECT_NEAR(change.seeds, a + b, 1e-12);
  EXPECT_NEAR(change.df, (a + b) * (a + b) / (a * a + b * b / 2), 1e-9);
  EXPECT_NEAR(seed_difference(two, one).seeds, a, 1e-12);
  EXPECT_EQ(seed_difference(two, one).df, 1);
  const SeedMean folds[] = {change, change};
  EXPECT_NEAR(mean_of(folds).seeds, (a + b) / 2, 1e-12);
  EXPECT_NEAR(mean_of(folds).df, 2 * change.df, 1e-9);
}

TEST(SeedMeans, OfOneModelAreItsOwnResamples) {
  const SeedMean mean = seed_mean({{0.2}, {{0.1, 0.2, 0.3}}});
  EXPECT_EQ(mean.replicates, (std::vector{0.1, 0.2, 0.3}));
  EXPECT_EQ(mean.df, 0);
  EXPECT_FALSE(test_seed_mean(seed_mean({{0.2, 0.2}, {{0.2, 0.2}, {0.2, 0.2}}}), 0.95).p);
}

}  // namespace
}  // namespace vise::reports
