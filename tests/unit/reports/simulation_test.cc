// How often the tests cry wolf, and how often they find what is there: many simulated comparisons, seeded.
//
// A test at 5 % of a true null must reject 5 % of the time, give or take one point. McNemar's exact test is
// conservative (its p is discrete: with n discordant items only a few values exist), so its mid-p is held to the band
// and the exact one to stay below it. The p-value of the paired bootstrap is held to the band with macro-F1, DeLong's
// with ROC AUC.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <numeric>

#include "base/random.h"
#include "reports/statistics/bootstrap.h"
#include "reports/statistics/corrected_t.h"
#include "reports/statistics/delong.h"
#include "reports/statistics/detectable.h"
#include "reports/statistics/mcnemar.h"
#include "tests/weighted.h"

namespace vise::reports {
namespace {

constexpr double kAlpha = 0.05;

// Two models right on an item with probabilities that differ by `difference`; errors are correlated through the item.
struct Pair {
  std::vector<int> y, a, b;
};

Pair simulate(RandomStream& random, std::size_t items, double skill, double difference) {
  Pair pair;
  for (std::size_t i = 0; i < items; ++i) {
    const int truth = static_cast<int>(random.below(2));
    const double ease = random.uniform() < 0.5 ? 0.15 : -0.15;
    pair.y.push_back(truth);
    pair.a.push_back(random.uniform() < skill + ease + difference ? truth : 1 - truth);
    pair.b.push_back(random.uniform() < skill + ease ? truth : 1 - truth);
  }
  return pair;
}

McNemar compare(const Pair& pair) {
  std::uint64_t only_a = 0, only_b = 0;
  for (std::size_t i = 0; i < pair.y.size(); ++i) {
    only_a += pair.a[i] == pair.y[i] && pair.b[i] != pair.y[i];
    only_b += pair.b[i] == pair.y[i] && pair.a[i] != pair.y[i];
  }
  return mcnemar(only_a, only_b);
}

TEST(FalsePositives, McNemarStaysAtFivePercentUnderTheNull) {
  constexpr int kRuns = 20000;
  RandomStream random("simulation/mcnemar", 0);
  int exact = 0, mid = 0;
  for (int run = 0; run < kRuns; ++run) {
    const McNemar test = compare(simulate(random, 300, 0.7, 0));
    exact += test.p_exact < kAlpha;
    mid += test.p_mid < kAlpha;
  }
  EXPECT_NEAR(static_cast<double>(mid) / kRuns, kAlpha, 0.01);
  EXPECT_LE(static_cast<double>(exact) / kRuns, kAlpha + 0.01);
  RecordProperty("exact", std::to_string(static_cast<double>(exact) / kRuns));
}

// What detectable_difference promises: found four times out of five.
TEST(Power, McNemarFindsTheDetectableDifferenceAsOftenAsPromised) {
  constexpr int kRuns = 4000;
  constexpr std::size_t kItems = 1000;
  RandomStream random("simulation/power", 0);
  double discordant = 0;
  for (int run = 0; run < 200; ++run) {
    const McNemar test = compare(simulate(random, kItems, 0.65, 0.06));
    discordant += static_cast<double>(test.b + test.c) / kItems / 200;
  }
  const double difference = *detectable_difference(kItems, discordant, kAlpha, 0.8);
  int found = 0;
  for (int run = 0; run < kRuns; ++run) found += compare(simulate(random, kItems, 0.65, difference)).p_mid < kAlpha;
  EXPECT_NEAR(static_cast<double>(found) / kRuns, 0.8, 0.03);
}

TEST(FalsePositives, DeLongStaysAtFivePercentUnderTheNull) {
  constexpr int kRuns = 4000;
  RandomStream random("simulation/delong", 0);
  int rejected = 0;
  for (int run = 0; run < kRuns; ++run) {
    std::vector<int> y;
    std::vector<double> a, b;
    for (int i = 0; i < 200; ++i) {
      y.push_back(i % 2);
      const double shared = random.normal();
      a.push_back(y.back() + shared + random.normal());
      b.push_back(y.back() + shared + random.normal());
    }
    const auto p = delong(y, a, b).p;
    rejected += p && *p < kAlpha;
  }
  EXPECT_NEAR(static_cast<double>(rejected) / kRuns, kAlpha, 0.01);
}

TEST(FalsePositives, PairedBootstrapOfMacroF1StaysAtFivePercentUnderTheNull) {
  constexpr int kRuns = 5000;
  constexpr std::size_t kItems = 200, kBlocks = 8;
  RandomStream random("simulation/bootstrap", 0);
  const std::string_view metric = "f1_macro";
  std::vector<std::uint16_t> counts(probes::kLanes * kItems);
  std::vector<double> of_a(probes::kLanes), of_b(probes::kLanes);
  int rejected = 0;
  for (int run = 0; run < kRuns; ++run) {
    const Pair pair = simulate(random, kItems, 0.7, 0);
    const auto a = test::decided(pair.y, pair.a, 2), b = test::decided(pair.y, pair.b, 2);
    const Resampler resampler(pair.y, "simulation/resamples", static_cast<std::uint64_t>(run));
    std::vector<double> deltas;
    for (std::size_t block = 0; block < kBlocks; ++block) {
      resampler.block(block, counts);
      a.evaluate({&metric, 1}, counts, of_a);
      b.evaluate({&metric, 1}, counts, of_b);
      for (std::size_t r = 0; r < probes::kLanes; ++r) deltas.push_back(of_a[r] - of_b[r]);
    }
    rejected += *paired_bootstrap(deltas, 0.95).p < kAlpha;
  }
  EXPECT_NEAR(static_cast<double>(rejected) / kRuns, kAlpha, 0.01);
}

// The interval of a difference of accuracies says what McNemar's exact test says, always, and holds the truth.
TEST(Coverage, McNemarsIntervalAgreesWithItsTestAndCovers) {
  for (std::uint64_t n = 1; n <= 40; ++n)
    for (std::uint64_t b = 0; b <= n; ++b)
      for (std::uint64_t c = 0; b + c <= n; ++c) {
        const McNemar test = mcnemar(b, c);
        const auto interval = mcnemar_interval(test, n, 0.95);
        ASSERT_EQ(interval.has_value(), b + c > 0);
        if (!interval) continue;
        EXPECT_EQ(interval->low > 0 || interval->high < 0, test.p_exact < 0.05) << b << " " << c << " of " << n;
        const double difference = (static_cast<double>(b) - static_cast<double>(c)) / static_cast<double>(n);
        EXPECT_LE(interval->low, difference);
        EXPECT_GE(interval->high, difference);
      }
  constexpr int kRuns = 3000;
  RandomStream random("simulation/mcnemar interval", 0);
  for (const std::uint64_t items : {60u, 300u})
    for (const double rate : {0.1, 0.3})
      for (const double share : {0.5, 0.7, 0.9, 1.0}) {
        int covered = 0, known = 0;
        for (int run = 0; run < kRuns; ++run) {
          std::uint64_t b = 0, c = 0;
          for (std::uint64_t i = 0; i < items; ++i)
            if (random.uniform() < rate) ++(random.uniform() < share ? b : c);
          const auto interval = mcnemar_interval(mcnemar(b, c), items, 0.95);
          if (!interval) continue;
          ++known;
          const double truth = rate * (2 * share - 1);
          covered += interval->low <= truth && truth <= interval->high;
        }
        EXPECT_GE(static_cast<double>(covered) / known, 0.94) << items << " images, " << rate << ", " << share;
      }
}

TEST(Coverage, TheBootstrapsIntervalAgreesWithItsTest) {
  RandomStream random("simulation/inverted", 0);
  for (const std::size_t count : {40u, 999u, 1000u}) {
    for (int run = 0; run < 2000; ++run) {
      std::vector<double> deltas(count);
      const double shift = 4 * random.uniform() - 2;
      for (double& d : deltas) d = std::round(20 * (random.normal() + shift)) / 20;  // ties, and zeros
      const auto interval = inverted_bootstrap(deltas, 0.95);
      ASSERT_TRUE(interval);
      EXPECT_EQ(interval->low > 0 || interval->high < 0, *paired_bootstrap(deltas, 0.95).p < 0.05);
    }
  }
  EXPECT_FALSE(inverted_bootstrap(std::vector<double>(38, 1.0), 0.95));
}

TEST(Coverage, DeLongsIntervalAgreesWithItsTest) {
  RandomStream random("simulation/delong interval", 0);
  for (int run = 0; run < 300; ++run) {
    std::vector<int> y;
    std::vector<double> a, b;
    for (int i = 0; i < 60; ++i) {
      y.push_back(i % 2);
      a.push_back(y.back() + random.normal());
      b.push_back(y.back() * 0.5 + random.normal());
    }
    const DeLong test = delong(y, a, b);
    const auto interval = delong_interval(test, 0.95);
    ASSERT_TRUE(interval);
    EXPECT_EQ(interval->low > 0 || interval->high < 0, *test.p < 0.05);
  }
}

// Two learners of equal skill, each the nearest of two means in three features of its own, on `draws` splits of one
// data set: the means of their differences share most of train and a part of test.
double rejected_over_draws(std::size_t draws, int runs) {
  constexpr std::size_t kItems = 300, kTest = 60, kFeatures = 3;
  RandomStream random("simulation/draws", draws);
  int rejected = 0;
  for (int run = 0; run < runs; ++run) {
    std::vector<int> y(kItems);
    std::vector<std::array<double, 2 * kFeatures>> x(kItems);
    for (std::size_t i = 0; i < kItems; ++i) {
      y[i] = static_cast<int>(random.below(2));
      for (double& v : x[i]) v = random.normal() + (y[i] ? 0.35 : -0.35);
    }
    std::vector<double> differences;
    for (std::size_t draw = 0; draw < draws; ++draw) {
      std::vector<std::size_t> order(kItems);
      std::iota(order.begin(), order.end(), 0u);
      random.shuffle(std::span(order));
      double difference = 0;
      for (const std::size_t learner : {0u, 1u}) {
        std::array<double, kFeatures> mean[2]{};
        double count[2]{};
        for (std::size_t i = kTest; i < kItems; ++i) {
          ++count[y[order[i]]];
          for (std::size_t f = 0; f < kFeatures; ++f) mean[y[order[i]]][f] += x[order[i]][learner * kFeatures + f];
        }
        for (std::size_t i = 0; i < kTest; ++i) {
          double distance[2]{};
          for (const int k : {0, 1})
            for (std::size_t f = 0; f < kFeatures; ++f)
              distance[k] += std::pow(x[order[i]][learner * kFeatures + f] - mean[k][f] / count[k], 2);
          difference += (learner == 0 ? 1.0 : -1.0) * ((distance[1] < distance[0]) == (y[order[i]] == 1)) / kTest;
        }
      }
      differences.push_back(difference);
    }
    const CorrectedT test = corrected_t(differences, static_cast<double>(kTest) / (kItems - kTest), 0.95);
    EXPECT_TRUE(!test.interval || (test.interval->low > 0 || test.interval->high < 0) == (*test.p < kAlpha));
    rejected += test.p && *test.p < kAlpha;
  }
  return static_cast<double>(rejected) / runs;
}

TEST(FalsePositives, MeansOverDrawnSplitsStayAtFivePercentUnderTheNull) {
  for (const std::size_t draws : {3u, 5u, 10u}) {
    const double rejected = rejected_over_draws(draws, 4000);
    std::printf("  %zu drawn splits: %.3f rejected\n", draws, rejected);
    EXPECT_NEAR(rejected, kAlpha, 0.01) << draws;
  }
}

}  // namespace
}  // namespace vise::reports
