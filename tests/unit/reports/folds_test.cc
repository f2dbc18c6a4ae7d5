#include "reports/folds.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "reports/compare.h"
#include "reports/layout.h"
#include "reports/report.h"
#include "reports/writers.h"
#include "tests/shared.h"
#include "tests/unit/reports/samples.h"

namespace vise::reports {
namespace {

constexpr std::size_t kImages = 200;

// Three folds of a task, two models each; a fold's images are its own unless `shared`.
class Folds : public testing::Test {
 protected:
  std::vector<RunFolder> folds(int count = 3, bool shared = false) const {
    std::vector<RunFolder> runs;
    for (int fold = 1; fold <= count; ++fold) {
      const Path folder = dir_ / fmt::format("fold{}", fold);
      RunFolder run{folder, {}};
      for (const auto& [backbone, skill] : {std::pair{"base", 0.6}, {"good", 0.75}}) {
        experiments::Result r =
            test::simulated_result(folder, backbone, skill, kImages, static_cast<std::uint64_t>(fold));
        if (!shared) rename_images(folder / fmt::format("scores/{}.test.csv", r.key), fold);
        r.key += fmt::format("-{}", fold);
        r.cell.task = fmt::format("paintings.{}", fold);
        r.cell.seed = 0;
        r.split_origin = fmt::format("fold {} of 3 (seed 0)", fold);
        r.split_hash = fmt::format("{}00000000", fold);
        run.results.push_back(std::move(r));
      }
      runs.push_back(std::move(run));
    }
    return runs;
  }

  Report report(std::vector<RunFolder> runs, const std::string& baseline = "base") const {
    Silent log;
    CompareOptions options{.baseline = baseline};
    options.resamples = 2000;
    return make_report(std::move(runs), options, Context{log, {}, 1});
  }

  test::ScratchDir dir_;

 private:
  static void rename_images(const Path& csv, int fold) {
    std::string text;
    for (const std::string& line : split(read_text_file(csv), '\n'))
      if (!line.empty()) text += (line.starts_with("faces/") ? fmt::format("fold{}/", fold) : "") + line + "\n";
    write_file_atomically(csv, text);
  }
};

TEST_F(Folds, MeanStandsBehindItsFoldsWithTheirDeviation) {
  const ComparisonTable table = report(folds()).table;
  ASSERT_EQ(table.sections.size(), 4u);
  const TableSection& mean = table.sections[3];
  EXPECT_EQ(mean.task, "paintings");
  EXPECT_EQ(mean.folds, (std::vector<std::size_t>{0, 1, 2}));
  EXPECT_EQ(mean.sizes.test, 3 * kImages);
  for (std::size_t row = 0; row < 2; ++row) {
    double sum = 0, squares = 0;
    for (std::size_t fold = 0; fold < 3; ++fold) sum += *table.sections[fold].rows[row].metrics[0].value;
    for (std::size_t fold = 0; fold < 3; ++fold)
      squares += std::pow(*table.sections[fold].rows[row].metrics[0].value - sum / 3, 2);
    EXPECT_DOUBLE_EQ(*mean.rows[row].metrics[0].value, sum / 3);
    EXPECT_DOUBLE_EQ(*mean.rows[row].metrics[0].deviation, std::sqrt(squares / 2));
  }
  EXPECT_NE(
      to_markdown(table).find("accuracy in %: mean over the test sets of paintings.1 to paintings.3 (600 images)"),
      std::string::npos);
}

// The mean of three independent test sets is known better than each by the square root of three.
TEST_F(Folds, MeanHasTheIntervalAndTheTestOfAllItsImages) {
  const ComparisonTable table = report(folds()).table;
  const TableSection& mean = table.sections[3];
  const auto width = [](const Interval& interval) { return interval.high - interval.low; };
  for (std::size_t row = 0; row < 2; ++row) {
    double squares = 0;
    for (std::size_t fold = 0; fold < 3; ++fold)
      squares += std::pow(width(*table.sections[fold].rows[row].metrics[0].interval), 2);
    EXPECT_NEAR(width(*mean.rows[row].metrics[0].interval), std::sqrt(squares) / 3, 0.006);
  }
  const Difference& d = *mean.rows[1].difference;
  EXPECT_DOUBLE_EQ(d.value, *mean.rows[1].metrics[0].value - *mean.rows[0].metrics[0].value);
  EXPECT_EQ(d.test, "paired bootstrap");
  EXPECT_LT(d.interval->low, d.value);
  EXPECT_GT(d.interval->high, d.value);
  EXPECT_TRUE(d.survives);
  EXPECT_FALSE(d.detectable);
}

TEST_F(Folds, SwitchingTheBaselineEqualsStartingWithIt) {
  Report switched = report(folds());
  switch_baseline(switched, "good");
  EXPECT_EQ(to_csv(switched.table), to_csv(report(folds(), "good").table));
}

TEST_F(Folds, ThatShareImagesHaveAMeanWithoutIntervalOrTest) {
  const ComparisonTable table = report(folds(3, true)).table;
  const TableRow& row = table.sections[3].rows[1];
  EXPECT_TRUE(row.metrics[0].deviation);
  EXPECT_FALSE(row.metrics[0].interval);
  EXPECT_FALSE(row.difference->p);
  EXPECT_NE(to_markdown(table).find("The splits share test images"), std::string::npos);
}

TEST_F(Folds, ThatAreNotAllThereHaveNoMean) {
  EXPECT_EQ(report(folds(2)).table.sections.size(), 2u);
  auto named_so = folds();
  for (RunFolder& run : named_so) run.results[0].split_origin = run.results[1].split_origin = "stratified";
  EXPECT_EQ(report(std::move(named_so)).table.sections.size(), 3u);
}

TEST_F(Folds, MeanOfAFailedFoldFails) {
  auto runs = folds();
  runs[1].results[1].status = experiments::CellStatus::failed;
  runs[1].results[1].error = "out of memory";
  const ComparisonTable table = report(std::move(runs)).table;
  EXPECT_TRUE(table.sections[3].rows[1].failed);
  EXPECT_EQ(table.sections[3].rows[1].error, "paintings.2: out of memory");
  EXPECT_TRUE(table.sections[3].rows[0].metrics[0].value);
}

}  // namespace
}  // namespace vise::reports
