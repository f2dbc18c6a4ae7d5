#include "probes/metrics/weighted.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "reports/statistics/bootstrap.h"
#include "tests/weighted.h"

namespace vise::reports {
namespace {

constexpr std::size_t kCount = 6;

// The lanes are the same arithmetic as one resample alone; ties among scores included.
TEST(WeightedMetrics, LanesEqualOneResampleAtATime) {
  for (const std::size_t classes : {2u, 5u}) {
    RandomStream random("test/lanes", classes);
    std::vector<int> y;
    std::vector<double> scores;
    for (int i = 0; i < 300; ++i) {
      y.push_back(static_cast<int>(random.below(classes)));
      for (std::size_t k = 0; k < classes; ++k) scores.push_back(static_cast<double>(random.below(8)));
    }
    const std::string_view kMetrics[kCount] = {
        "accuracy", "balanced_accuracy", "f1_macro", classes == 2 ? "auc" : "auc_ovr_macro", "f1_weighted", "kappa"};
    const probes::WeightedMetrics model = test::scored(y, scores, classes);
    const Resampler resampler(y, "test/lanes", 1);
    std::vector<std::uint16_t> counts(y.size() * probes::kLanes), own(y.size());
    resampler.block(3, counts);
    std::vector<double> lanes(kCount * probes::kLanes), alone(kCount);
    model.evaluate(kMetrics, counts, lanes);
    for (std::size_t r = 0; r < probes::kLanes; ++r) {
      for (std::size_t i = 0; i < y.size(); ++i) own[i] = counts[i * probes::kLanes + r];
      model.evaluate(kMetrics, own, alone);
      for (std::size_t m = 0; m < kCount; ++m) EXPECT_EQ(lanes[m * probes::kLanes + r], alone[m]);
    }
  }
}

TEST(WeightedMetrics, ArgmaxTiesGoToTheLowestClass) {
  const std::vector<int> y{0, 1};
  const std::string_view metric = "accuracy";
  double value = 0;
  test::scored(y, {1, 1, 2, 2}, 2).evaluate({&metric, 1}, {}, {&value, 1});
  EXPECT_EQ(value, 0.5);  // both are taken for class 0
  const std::vector<int> swapped{1, 0};
  test::scored(swapped, {1, 1, 2, 2}, 2).evaluate({&metric, 1}, std::vector<std::uint16_t>{3, 1}, {&value, 1});
  EXPECT_EQ(value, 0.25);
}

TEST(WeightedMetrics, OneClassHasNoRocAuc) {
  const std::vector<int> y{1, 1};
  const std::string_view names[] = {"auc", "balanced_accuracy"};
  double values[2];
  test::scored(y, {1, 2, 2, 1}, 2).evaluate(names, {}, values);
  EXPECT_TRUE(std::isnan(values[0]));
  EXPECT_EQ(values[1], 0.5);  // recall of the class that is there
}

TEST(Resampler, DrawsAsManyOfEachStratumAsItHas) {
  std::vector<int> strata;
  for (int i = 0; i < 37; ++i) strata.push_back(i % 3 == 0);
  const Resampler resampler(strata, "test/strata", 0);
  std::vector<std::uint16_t> counts(strata.size() * probes::kLanes);
  resampler.block(0, counts);
  for (std::size_t r = 0; r < probes::kLanes; ++r) {
    int drawn[2] = {0, 0};
    for (std::size_t i = 0; i < strata.size(); ++i) drawn[strata[i]] += counts[i * probes::kLanes + r];
    EXPECT_EQ(drawn[1], 13);
    EXPECT_EQ(drawn[0], 24);
  }
}

}  // namespace
}  // namespace vise::reports
