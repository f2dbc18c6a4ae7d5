#include "probes/evaluate.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "probes/metric_registry.h"
#include "probes/metrics/weighted.h"

namespace vise::probes {
namespace {

TEST(Evaluate, RanksTwoClassesByTheDifferenceOfTheirLogits) {
  // z1 alone would rank the rows the other way.
  const Scores scores{2, 2, {5, 4, -3, 3}};
  const Metrics m = evaluate(scores, datasets::Targets::from_classes({0, 1}, {"a", "b"}));
  EXPECT_EQ(m.at("auc"), 1.0);
  EXPECT_EQ(m.at("accuracy"), 1.0);
}

TEST(Evaluate, SaysUndefinedWhereOneClassIsMissing) {
  const Metrics m = evaluate({2, 2, {1, 0, 0, 1}}, datasets::Targets::from_classes({0, 0}, {"a", "b"}));
  EXPECT_FALSE(m.at("auc").has_value());
  EXPECT_EQ(m.at("accuracy"), 0.5);
}

// scikit-learn 1.2.1: f1_score([0, 0, 1, 1], [0, 0, 1, 1], average="macro") is 1, with labels=[0, 1, 2] 2/3; with
// predictions [0, 0, 1, 2] it is 5/9 either way: a class that is predicted is not unknown to it.
TEST(Evaluate, GivesBothMacroAveragesWhereAClassHasNoRow) {
  const datasets::Targets targets = datasets::Targets::from_classes({0, 0, 1, 1}, {"a", "b", "c"});
  const Metrics right = evaluate({4, 3, {9, 0, 0, 9, 0, 0, 0, 9, 0, 0, 9, 0}}, targets);
  EXPECT_DOUBLE_EQ(*right.at("f1_macro"), 2.0 / 3);
  EXPECT_DOUBLE_EQ(*right.at("f1_macro_seen"), 1);
  const Metrics predicted = evaluate({4, 3, {9, 0, 0, 9, 0, 0, 0, 9, 0, 0, 0, 9}}, targets);
  EXPECT_DOUBLE_EQ(*predicted.at("f1_macro"), 5.0 / 9);
  EXPECT_DOUBLE_EQ(*predicted.at("f1_macro_seen"), 5.0 / 9);
  const datasets::Targets all = datasets::Targets::from_classes({0, 1, 2, 1}, {"a", "b", "c"});
  EXPECT_FALSE(evaluate({4, 3, {9, 0, 0, 9, 0, 0, 0, 9, 0, 0, 9, 0}}, all).contains("f1_macro_seen"));
  EXPECT_EQ(absent_classes_note(all), "");
  EXPECT_TRUE(
      absent_classes_note(targets).starts_with("test has no image of c: macro-F1 counts it as 0; f1_macro_seen"));
  EXPECT_EQ(absent_classes_note(datasets::Targets::from_multi_label({1, 0, 0, 0}, {"sky", "dog"})),
            "test has no image of dog: macro-F1 counts it as 0");
  EXPECT_EQ(absent_classes_note(datasets::Targets::from_values({1, 2}, {"x"})), "");
}

TEST(Evaluate, GivesExactlyTheMetricsItNames) {
  const Metrics m = evaluate({2, 2, {1, 0, 0, 1}}, datasets::Targets::from_classes({0, 1}, {"a", "b"}));
  const auto names = metric_names(datasets::TargetKind::classes, 2);
  EXPECT_EQ(m.size(), names.size());
  for (const std::string& name : names) EXPECT_TRUE(m.contains(name)) << name;
}

TEST(Evaluate, LeavesUnknownRowsOut) {
  const Metrics m =
      evaluate({3, 2, {1, 0, 1, 0, 0, 1}}, datasets::Targets::from_classes({0, datasets::kNoClass, 1}, {"a", "b"}));
  EXPECT_EQ(m.at("accuracy"), 1.0);
}

TEST(Calibrate, FindsTheTemperatureThatScaledTheLogits) {
  // Two groups of four rows with log odds 3 z: right 3 times of 4 needs log odds log 3.
  std::vector<double> z;
  std::vector<int> y;
  for (int i = 0; i < 8; ++i) {
    const int right = i % 4 != 0, predicted = i / 4;
    z.insert(z.end(), {predicted ? 0.0 : 3 * std::log(3.0), predicted ? 3 * std::log(3.0) : 0.0});
    y.push_back(right ? predicted : 1 - predicted);
  }
  const Calibration c = calibrate({8, 2, z}, datasets::Targets::from_classes(y, {"a", "b"}), "val");
  EXPECT_NEAR(c.temperature, 3, 1e-6);
  const Metrics m = evaluate({8, 2, z}, datasets::Targets::from_classes(y, {"a", "b"}), c);
  EXPECT_NEAR(*m.at("ece_calibrated"), 0, 1e-6);
  EXPECT_GT(*m.at("ece"), 0.2);
}

TEST(Calibrate, ChoosesTheThresholdOfTheBestMacroF1) {
  const datasets::Targets t = datasets::Targets::from_multi_label({1, 1, 0, 0}, {"smile"});
  const Calibration c = calibrate({4, 1, {-0.5, -0.7, -2, -3}}, t, "val");
  EXPECT_EQ(evaluate({4, 1, {-0.5, -0.7, -2, -3}}, t, c).at("f1_macro"), 1.0);
  EXPECT_NE(evaluate({4, 1, {-0.5, -0.7, -2, -3}}, t).at("f1_macro"), 1.0);
}

TEST(SelectionScore, TurnsLossesRound) {
  const datasets::Targets t = datasets::Targets::from_distribution({3, 1, 1, 3}, {"a", "b"});
  const Scores s{2, 2, {1, 0, 0, 1}};
  EXPECT_EQ(selection_score(s, t, "neg_kl"), -*evaluate(s, t).at("kl"));
  EXPECT_THROW(check_selection_metric("kl", datasets::TargetKind::distribution), Error);
  EXPECT_THROW(check_selection_metric("acuracy", datasets::TargetKind::classes), Error);
}

TEST(MetricRegistry, AMetricOfOnesOwnIsComputedNamedAndChosenBy) {
  // What a wrong answer costs: twice as much where the truth is class 0.
  const auto cost = [](const Scores& scores, const datasets::Targets& targets) -> std::optional<double> {
    double sum = 0;
    for (std::size_t i = 0; i < targets.size(); ++i) {
      const int truth = targets.classes()[i];
      if ((scores(i, 0) > scores(i, 1)) != (truth == 0)) sum += truth == 0 ? 2 : 1;
    }
    return sum;
  };
  MetricRegistry::instance().add({"cost", datasets::TargetKind::classes, false, cost});
  const datasets::Targets targets = datasets::Targets::from_classes({0, 0, 1, 1, -1}, {"a", "b"});
  const Scores scores{5, 2, {0, 1, 1, 0, 1, 0, 0, 1, 1, 0}};  // wrong, right, wrong, right, unknown
  EXPECT_EQ(evaluate(scores, targets).at("cost"), 3.0);
  EXPECT_EQ(selection_score(scores, targets, "neg_cost"), -3.0);
  EXPECT_NO_THROW(check_selection_metric("neg_cost", datasets::TargetKind::classes));
  EXPECT_FALSE(higher_is_better("cost"));
  EXPECT_THROW(MetricRegistry::instance().add({"accuracy", datasets::TargetKind::classes, true, cost}), Error);
}

// A metric of rows that are written out, and the same one under counts.
TEST(MetricRegistry, AMetricOfOnesOwnIsResampled) {
  const auto first = [](const Scores& scores, const datasets::Targets&) -> std::optional<double> {
    double sum = 0;
    for (std::size_t i = 0; i < scores.rows; ++i) sum += scores(i, 0);
    return sum;
  };
  const auto counted = [](const Scores& scores, const datasets::Targets&) -> WeightedMetric {
    return [&scores](std::span<const std::uint16_t> counts) -> std::optional<double> {
      double sum = 0;
      for (std::size_t i = 0; i < scores.rows; ++i) sum += counts[i] * scores(i, 0);
      return sum > 0 ? std::optional(sum) : std::nullopt;
    };
  };
  MetricRegistry::instance().add({"first", datasets::TargetKind::classes, true, first, {}});
  MetricRegistry::instance().add({"counted", datasets::TargetKind::classes, true, {}, counted});
  const WeightedMetrics metrics({3, 2, {1, 0, 2, 0, 4, 0}}, datasets::Targets::from_classes({0, 1, 1}, {"a", "b"}), {});
  const std::string_view names[] = {"counted", "first"};
  double values[2];
  metrics.evaluate(names, {}, values);
  EXPECT_EQ(values[0], 7);
  EXPECT_EQ(values[1], 7);
  metrics.evaluate(names, std::vector<std::uint16_t>{0, 3, 1}, values);
  EXPECT_EQ(values[0], 10);
  EXPECT_EQ(values[1], 10);
  metrics.evaluate(names, std::vector<std::uint16_t>{0, 0, 0}, values);
  EXPECT_TRUE(std::isnan(values[0]));
}

}  // namespace
}  // namespace vise::probes
