#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "probes/evaluate.h"
#include "probes/metrics/weighted.h"
#include "reports/statistics/bootstrap.h"

namespace vise::reports {
namespace {

constexpr std::size_t kItems = 40, kWidth = 3;

probes::Scores drawn_scores(std::size_t width) {
  RandomStream random("soft/scores", width);
  probes::Scores scores{kItems, width, {}};
  // Coarse values, so that ties happen.
  for (std::size_t i = 0; i < kItems * width; ++i) scores.values.push_back(std::round(random.normal() * 3) / 3);
  return scores;
}

datasets::Targets drawn_targets(datasets::TargetKind kind, std::size_t width) {
  RandomStream random("soft/targets", width);
  std::vector<std::string> names;
  for (std::size_t k = 0; k < width; ++k) names.push_back(std::string(1, static_cast<char>('a' + k)));
  std::vector<std::int8_t> bits;
  std::vector<double> rows;
  for (std::size_t i = 0; i < kItems * width; ++i) {
    bits.push_back(static_cast<std::int8_t>(static_cast<int>(random.below(5)) / 2 - 1 + (i % width == 0)));
    rows.push_back(kind == datasets::TargetKind::distribution ? static_cast<double>(random.below(4)) + (i % width == 0)
                                                              : std::round(random.normal() * 4) / 4);
  }
  if (kind == datasets::TargetKind::multi_label) {
    for (std::int8_t& bit : bits) bit = std::min<std::int8_t>(bit, 1);
    return datasets::Targets::from_multi_label(bits, names);
  }
  return kind == datasets::TargetKind::distribution ? datasets::Targets::from_distribution(rows, names)
                                                    : datasets::Targets::from_values(rows, names);
}

// The oracle: the resample written out item by item, judged by evaluate().
probes::Metrics of_written_out(const probes::Scores& scores, const datasets::Targets& targets,
                               const probes::Calibration& calibration, const std::vector<std::uint16_t>& counts,
                               std::size_t lane) {
  std::vector<std::uint32_t> items;
  for (std::uint32_t i = 0; i < kItems; ++i) items.insert(items.end(), counts[i * probes::kLanes + lane], i);
  probes::Scores drawn{items.size(), scores.columns, {}};
  for (const std::uint32_t i : items)
    for (std::size_t k = 0; k < scores.columns; ++k) drawn.values.push_back(scores(i, k));
  return probes::evaluate(drawn, targets.select(items), calibration);
}

class WeightedSoftTest : public testing::TestWithParam<std::pair<datasets::TargetKind, std::size_t>> {};

TEST_P(WeightedSoftTest, Lanes_EqualEvaluate_OnTheItemsWrittenOut) {
  const auto [kind, width] = GetParam();
  const probes::Scores scores = drawn_scores(width);
  const datasets::Targets targets = drawn_targets(kind, width);
  probes::Calibration calibration;
  calibration.threshold = 0.2;
  std::vector<std::string> names = probes::metric_names(kind, width);
  if (kind == datasets::TargetKind::values && width > 1)
    for (const char* of_one_value : {"r2:b", "spearman:c", "mae:a"}) names.emplace_back(of_one_value);
  const std::vector<std::string_view> views(names.begin(), names.end());
  std::vector<std::uint16_t> counts(kItems * probes::kLanes);
  Resampler(std::vector<int>(kItems, 0), "soft", 0).block(0, counts);
  std::vector<double> values(names.size() * probes::kLanes);
  probes::WeightedMetrics(scores, targets, calibration).evaluate(views, counts, values);
  for (std::size_t lane = 0; lane < probes::kLanes; ++lane) {
    const probes::Metrics expected = of_written_out(scores, targets, calibration, counts, lane);
    for (std::size_t m = 0; m < names.size(); ++m) {
      const auto& value = expected.at(names[m]);
      if (value)
        EXPECT_NEAR(values[m * probes::kLanes + lane], *value, 1e-10) << names[m] << " in lane " << lane;
      else
        EXPECT_TRUE(std::isnan(values[m * probes::kLanes + lane])) << names[m];
    }
  }
}

INSTANTIATE_TEST_SUITE_P(EveryKind, WeightedSoftTest,
                         testing::Values(std::pair{datasets::TargetKind::multi_label, kWidth},
                                         std::pair{datasets::TargetKind::distribution, kWidth},
                                         std::pair{datasets::TargetKind::values, std::size_t{1}},
                                         std::pair{datasets::TargetKind::values, kWidth}));

}  // namespace
}  // namespace vise::reports
