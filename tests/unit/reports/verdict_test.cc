// The verdict over simulated tasks, its numbers recomputed by an independent script (check_verdict.py).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "experiments/results_file.h"
#include "reports/compare.h"
#include "reports/report.h"
#include "reports/verdict/curves.h"
#include "reports/verdict/verdict_grid.h"
#include "reports/won_images.h"
#include "reports/writers.h"
#include "tests/shared.h"
#include "tests/unit/reports/samples.h"

namespace vise::reports {
namespace {

constexpr std::size_t kImages[] = {60, 90, 150, 240, 400, 700};

// So many tasks of unequal sizes; the last two are controls, on which "good" gains nothing. Tasks share images, as
// attributes of one data set do.
class Study {
 public:
  explicit Study(std::size_t tasks, bool few_shot = false) {
    for (std::size_t t = 0; t < tasks; ++t) {
      const std::string name = fmt::format("task{}", t);
      options.kinds[name] = t + 2 < tasks ? "subjective" : "control";
      const double gain = t + 2 < tasks ? 0.14 : 0;
      add(name, t, "base", 0.62, 0);
      add(name, t, "good", 0.62 + gain, 0);
      add(name, t, "other", 0.6, 0);
      if (!few_shot) continue;
      add(name, t, "base", 0.52, 8);
      add(name, t, "good", 0.54 + gain, 8);
      add(name, t, "other", 0.52, 8);
    }
    options.baseline = "base";
  }

  Report report() const {
    Silent log;
    return make_report({{dir.path(), results}}, options, Context{log, {}, 1});
  }

  test::ScratchDir dir;
  std::vector<experiments::Result> results;
  CompareOptions options;

 private:
  void add(const std::string& task, std::size_t t, const std::string& backbone, double skill, int shots) {
    const std::uint64_t seed = 100 * t + static_cast<std::uint64_t>(shots);
    experiments::Result r = test::simulated_result(dir.path(), backbone, skill, kImages[t], seed);
    r.cell.task = task;
    r.cell.seed = 0;
    r.cell.shots = shots;
    r.split_hash = fmt::format("{}{}", task, kImages[t]);
    if (shots > 0) r.sizes.train = static_cast<std::size_t>(2 * shots), r.sizes.val = 0;
    experiments::append_result(dir / "results.jsonl", r);
    results.push_back(std::move(r));
  }
};

const TaskComparison& only(const Report& report) { return report.table.verdict.comparisons.at(0); }

const VerdictRow& row_of(const TaskComparison& comparison, const std::string& backbone) {
  for (const VerdictRow& row : comparison.rows)
    if (row.backbone == backbone) return row;
  throw std::out_of_range(backbone);
}

TEST(Verdict, OfOneTaskThereIsNone) {
  const Report report = Study(1).report();
  EXPECT_TRUE(report.table.verdict.empty());
  EXPECT_EQ(to_markdown(report.table).find("Verdict"), std::string::npos);
  EXPECT_NE(to_markdown(report.table).find("Found 4 times of 5 by these 60 test images"), std::string::npos);
}

TEST(Verdict, FewTasksSayWhatRanksCannotShow) {
  const Report report = Study(4).report();
  const TaskComparison& comparison = only(report);
  EXPECT_FALSE(comparison.critical_difference);
  EXPECT_FALSE(row_of(comparison, "good").wilcoxon);
  const std::string text = to_markdown(report.table);
  EXPECT_NE(text.find("Ranks over 4 tasks can't show that a backbone differs"), std::string::npos) << text;
  EXPECT_LT(text.find("### Verdict over 4 tasks"), text.find("### task0")) << "the answer comes first";
}

TEST(Verdict, FindsTheGainAndTheKindThatHasIt) {
  const Report report = Study(6).report();
  const TaskComparison& comparison = only(report);
  ASSERT_EQ(comparison.tasks.size(), 6u);
  const VerdictRow& good = row_of(comparison, "good");
  ASSERT_TRUE(good.gain && good.gain->these && good.gain->alike);
  EXPECT_GT(good.gain->these->low, 0);
  EXPECT_GT(good.gain->alike->high - good.gain->alike->low, good.gain->these->high - good.gain->these->low);
  EXPECT_GT(*good.best_these, 0.9);
  EXPECT_TRUE(comparison.critical_difference && comparison.friedman.chi2);
  ASSERT_EQ(comparison.kinds.size(), 2u);  // good, other
  const KindGain& kind = comparison.kinds[0];
  EXPECT_EQ(kind.kind, "subjective");
  EXPECT_EQ(kind.tasks, 4u);
  EXPECT_EQ(kind.other_tasks, 2u);
  EXPECT_NEAR(kind.difference.value, kind.gain - kind.other_gain, 1e-12);
  EXPECT_GT(kind.difference.these->low, 0);
  EXPECT_NE(to_markdown(report.table).find("Do kinds of tasks differ?"), std::string::npos);
  EXPECT_NE(to_latex(report.table).find("Verdict over 6 tasks"), std::string::npos);
  EXPECT_NE(to_terminal(report.table, {}).find("tasks like these"), std::string::npos);
}

TEST(Verdict, LeavesOutWhatIsNotOnEveryTask) {
  Study study(3);
  std::erase_if(study.results,
                [](const experiments::Result& r) { return r.cell.task == "task1" && r.cell.backbone == "other"; });
  const Report report = study.report();
  EXPECT_EQ(only(report).rows.size(), 2u);
  EXPECT_NE(to_markdown(report.table).find("other isn't among the backbones: it has results on 2 of 3 tasks."),
            std::string::npos);
}

TEST(Verdict, CountsLabelsAlongTheIsotonicCurve) {
  const std::vector<double> labels{10, 100, 1000};
  EXPECT_NEAR(labels_needed(labels, std::vector{0.5, 0.6, 0.8}, 0.7), std::sqrt(100.0 * 1000), 1e-9);
  EXPECT_EQ(labels_needed(labels, std::vector{0.5, 0.6, 0.8}, 0.4), 10);
  EXPECT_NEAR(labels_needed(labels, std::vector{0.7, 0.5, 0.8}, 0.7), std::sqrt(100.0 * 1000), 1e-9);  // 0.6, 0.6, 0.8
}

// Every number again, from the saved scores, by numpy.
TEST(Verdict, NumbersAreThoseThatNumpyComputes) {
  if (std::system("/usr/bin/python3 -c 'import numpy' 2>/dev/null") != 0)
    GTEST_SKIP() << "skipped: /usr/bin/python3 with numpy not found";
  const Study study(6, true);
  const Report report = study.report();
  write_file_atomically(study.dir / "table.json", to_json_text(report.table, report.evidence));
  write_file_atomically(study.dir / "table.md", to_markdown(report.table));
  const std::string script = std::string(VISE_SOURCE_DIR) + "/tests/unit/reports/check_verdict.py";
  const std::string run = study.dir.path().string();
  EXPECT_EQ(std::system(fmt::format("/usr/bin/python3 {0} {1} {1}/table.json {1}/table.md", script, run).c_str()), 0);
}

}  // namespace
}  // namespace vise::reports
