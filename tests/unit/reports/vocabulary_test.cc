// reports/ and probes/ compute and name the same metrics.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"
#include "probes/evaluate.h"
#include "reports/metric_names.h"
#include "tests/weighted.h"

namespace vise::reports {
namespace {

TEST(Vocabulary, EveryMetricOfAProbeHasANameInTables) {
  for (const datasets::TargetKind kind : {datasets::TargetKind::classes, datasets::TargetKind::multi_label,
                                          datasets::TargetKind::distribution, datasets::TargetKind::values})
    for (const std::size_t classes : {std::size_t{2}, std::size_t{8}})
      for (const std::string& metric : probes::metric_names(kind, classes)) {
        const auto named = metric_names();
        EXPECT_TRUE(std::any_of(named.begin(), named.end(), [&](const MetricName& n) { return n.key == metric; }))
            << metric;
        EXPECT_EQ(metric_name(metric).higher_is_better, probes::higher_is_better(metric)) << metric;
      }
}

TEST(Vocabulary, ResampledMetricsEqualTheProbesOnTheWholeTestSet) {
  for (const std::size_t classes : {std::size_t{2}, std::size_t{5}}) {
    RandomStream random("vocabulary", classes);
    probes::Scores scores{60, classes, {}};
    std::vector<std::string> labels, names;
    std::vector<int> y;
    for (std::size_t k = 0; k < classes; ++k) names.push_back(std::string(1, static_cast<char>('a' + k)));
    for (std::size_t i = 0; i < scores.rows; ++i) {
      y.push_back(static_cast<int>(random.below(classes)));
      labels.push_back(names[static_cast<std::size_t>(y.back())]);
      for (std::size_t k = 0; k < classes; ++k) scores.values.push_back(random.normal());
    }
    const probes::Metrics expected = probes::evaluate(scores, datasets::Targets::from_labels(labels, names));
    const probes::WeightedMetrics predictions = test::scored(y, scores.values, classes);
    for (const auto& [name, value] : expected) {
      double resampled = 0;
      const std::string_view metric = name;
      predictions.evaluate({&metric, 1}, {}, {&resampled, 1});
      EXPECT_NEAR(resampled, *value, 1e-12) << name;
    }
  }
}

}  // namespace
}  // namespace vise::reports
