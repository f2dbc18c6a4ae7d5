// Comparisons over several tasks against scipy and exact fractions (../shared/data/golden/verdict, whose script says
// the conventions): 1e-10, absolutely where values are near 0.
#include <gtest/gtest.h>

#include <cmath>

#include "base/json.h"
#include "base/text.h"
#include "reports/statistics/holm.h"
#include "reports/statistics/ranks.h"
#include "reports/statistics/wilcoxon.h"
#include "tests/shared.h"

namespace vise {
namespace {

constexpr double kTolerance = 1e-10;

void expect_near(std::optional<double> got, const Json& expected, const char* what) {
  ASSERT_EQ(got.has_value(), !expected.is_null()) << what;
  if (!got) return;
  const double value = expected.get<double>();
  EXPECT_LE(std::fabs(*got - value), kTolerance * std::max(1.0, std::fabs(value)))
      << what << " " << *got << " " << value;
}

// Scores as columns: every model's over the tasks.
struct Case {
  std::vector<double> scores;
  std::size_t models = 0, tasks = 0;

  explicit Case(const Json& json) : models(json["scores"][0].size()), tasks(json["scores"].size()) {
    for (const Json& row : json["scores"])
      for (const Json& score : row) scores.push_back(score.get<double>());
  }
  std::vector<double> minus_first(std::size_t model) const {
    std::vector<double> differences;
    for (std::size_t t = 0; t < tasks; ++t) differences.push_back(scores[t * models + model] - scores[t * models]);
    return differences;
  }
};

void check_tests_against_the_first(const Case& c, const Json& json) {
  std::vector<std::optional<double>> p;
  for (std::size_t model = 1; model < c.models; ++model) {
    const reports::Wilcoxon test = reports::wilcoxon(c.minus_first(model));
    p.push_back(test.p);
    expect_near(test.w, json["wilcoxon"][model - 1]["w"], "w");
    expect_near(test.p, json["wilcoxon"][model - 1]["p"], "wilcoxon p");
  }
  const auto adjusted = reports::holm(p);
  for (std::size_t i = 0; i < p.size(); ++i) expect_near(adjusted[i], json["holm"][i], "holm");
}

TEST(VerdictGolden, RanksFriedmanWilcoxonHolmAndCriticalDifferenceEqualScipy) {
  VISE_NEEDS_SHARED();
  const Path file = test::shared_dir() / "data/golden/verdict/verdict.jsonl";
  std::size_t cases = 0;
  for (const std::string& line : split(read_text_file(file, 1 << 22), '\n')) {
    if (line.empty()) continue;
    const Json json = parse_json(line, file.string());
    SCOPED_TRACE(json["case"].dump());
    const Case c(json);
    const std::vector<double> ranks = reports::mean_ranks(c.scores, c.models);
    for (std::size_t m = 0; m < c.models; ++m) expect_near(ranks[m], json["mean_rank"][m], "mean rank");
    const reports::Friedman test = reports::friedman(c.scores, c.models);
    expect_near(test.chi2, json["friedman"][0], "friedman");
    expect_near(test.p, json["friedman"][1], "friedman p");
    expect_near(test.f, json["iman_davenport"][0], "iman_davenport");
    expect_near(test.p_f, json["iman_davenport"][1], "iman_davenport p");
    expect_near(reports::critical_difference(c.models, c.tasks, 0.05), json["critical_difference"],
                "critical difference");
    check_tests_against_the_first(c, json);
    ++cases;
  }
  EXPECT_EQ(cases, 48u);
}

}  // namespace
}  // namespace vise
