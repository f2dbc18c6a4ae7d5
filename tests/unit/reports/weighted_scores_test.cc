#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "probes/evaluate.h"
#include "probes/metrics/weighted.h"
#include "reports/seed_evidence.h"
#include "reports/statistics/bootstrap.h"

namespace vise::reports {
namespace {

constexpr std::size_t kItems = 60;

struct Drawn {
  experiments::Result result;
  experiments::SavedScores saved;
};

// Coarse scores, so that ties happen.
Drawn drawn(std::size_t classes, bool logits) {
  RandomStream random("scores", classes);
  Drawn d;
  std::vector<int> y;
  std::vector<std::string> names;
  for (std::size_t k = 0; k < classes; ++k) names.push_back(std::string(1, static_cast<char>('a' + k)));
  d.saved.scores = {kItems, classes, {}};
  for (std::size_t i = 0; i < kItems; ++i) {
    y.push_back(static_cast<int>(random.below(classes)));
    for (std::size_t k = 0; k < classes; ++k)
      d.saved.scores.values.push_back(std::round(random.normal() * 3 + (y.back() == static_cast<int>(k))) / 3);
    d.saved.ids.push_back(std::to_string(i));
  }
  d.saved.targets = datasets::Targets::from_classes(y, names);
  d.result.calibration = {logits, 1.7, 0, "val"};
  return d;
}

// The oracle: the resample written out item by item, judged by evaluate().
probes::Metrics of_written_out(const Drawn& d, std::span<const std::uint16_t> counts, std::size_t lane) {
  std::vector<std::uint32_t> items;
  for (std::uint32_t i = 0; i < kItems; ++i) items.insert(items.end(), counts[i * probes::kLanes + lane], i);
  probes::Scores scores{items.size(), d.saved.scores.columns, {}};
  for (const std::uint32_t i : items)
    for (std::size_t k = 0; k < scores.columns; ++k) scores.values.push_back(d.saved.scores(i, k));
  return probes::evaluate(scores, d.saved.targets.select(items), d.result.calibration);
}

class WeightedScores : public testing::TestWithParam<std::pair<std::size_t, bool>> {};

// Drawn from all items at once, so that some resamples lack a class.
TEST_P(WeightedScores, LanesOfEveryMetricEqualEvaluateOnTheItemsWrittenOut) {
  const Drawn d = drawn(GetParam().first, GetParam().second);
  std::vector<std::string> names;  // every metric has an interval
  for (const auto& [name, value] : probes::evaluate(d.saved.scores, d.saved.targets, d.result.calibration))
    names.push_back(name);
  std::vector<std::uint16_t> counts(kItems * probes::kLanes);
  Resampler(std::vector<int>(kItems, 0), "scores", 0).block(0, counts);
  std::vector<double> values(names.size() * probes::kLanes);
  const std::vector<std::string_view> views(names.begin(), names.end());
  seed_evidence(d.saved, d.result).metrics.evaluate(views, counts, values);
  for (std::size_t lane = 0; lane < probes::kLanes; ++lane) {
    const probes::Metrics expected = of_written_out(d, counts, lane);
    for (std::size_t m = 0; m < names.size(); ++m)
      if (const auto& value = expected.at(names[m]))
        EXPECT_NEAR(values[m * probes::kLanes + lane], *value, 1e-11) << names[m] << " in lane " << lane;
      else
        EXPECT_TRUE(std::isnan(values[m * probes::kLanes + lane])) << names[m];
  }
}

INSTANTIATE_TEST_SUITE_P(TwoFewAndManyClasses, WeightedScores,
                         testing::Values(std::pair{2u, true}, std::pair{2u, false}, std::pair{4u, true},
                                         std::pair{7u, true}, std::pair{7u, false}));

TEST(WeightedScores, OneScoreForTwoClassesIsTheLogitOfTheSecond) {
  Drawn two = drawn(2, true);
  Drawn one = two;
  one.saved.scores = {kItems, 1, {}};
  for (std::size_t i = 0; i < kItems; ++i)
    one.saved.scores.values.push_back(two.saved.scores(i, 1) - two.saved.scores(i, 0));
  const std::vector<std::string_view> names{"log_loss", "brier", "ece", "average_precision"};
  std::vector<std::uint16_t> counts(kItems * probes::kLanes, 1);
  std::vector<double> of_one(names.size() * probes::kLanes), of_two(names.size() * probes::kLanes);
  probes::WeightedMetrics(one.saved.scores, one.saved.targets, one.result.calibration).evaluate(names, counts, of_one);
  probes::WeightedMetrics(two.saved.scores, two.saved.targets, two.result.calibration).evaluate(names, counts, of_two);
  for (std::size_t i = 0; i < of_one.size(); ++i) EXPECT_NEAR(of_one[i], of_two[i], 1e-12);
}

}  // namespace
}  // namespace vise::reports
