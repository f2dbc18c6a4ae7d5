#include "reports/table.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/csv.h"
#include "base/error.h"
#include "base/text.h"
#include "reports/compare.h"
#include "reports/layout.h"
#include "reports/writers.h"
#include "tests/unit/reports/samples.h"

namespace vise::reports {
namespace {

using test::failed_result;
using test::sample_result;

ComparisonTable sample_table() {
  experiments::Result edge = sample_result("vise-250m", 47.0 / 60);
  edge.selection.on_edge = true;
  edge.notes = {"weights: the file's hash is not the one in its name", "faces made by a network"};
  experiments::Result base = sample_result("resnet18", 44.0 / 60);
  base.notes = {"faces made by a network"};
  experiments::Result failed = failed_result("big", "out of memory");
  failed.notes = {"faces made by a network"};
  return compare({edge, base, failed}, {.baseline = "resnet18"});
}

TEST(Markdown, IsTheTableOfTheManual) {
  EXPECT_EQ(to_markdown(sample_table()), R"(### omi300/happy: label (high, low)

accuracy in % on test (60 images); split: from the manifest; train 180, val 60, test 60 [2]

| backbone          | probe  |   accuracy | vs resnet18 | balanced acc. | macro-F1 | ROC AUC | chosen on val (60 images) |
| ----------------- | ------ | ---------: | ----------: | ------------: | -------: | ------: | ------------------------- |
| vise-250m [1] [3] | logreg |       78.3 |        +5.0 |          77.3 |     76.3 |    87.5 | C = 0.1 (edge)            |
| resnet18          | logreg |       73.3 |    baseline |          72.3 |     71.3 |    87.5 | C = 0.1                   |
| big [4]           | logreg | **failed** |             |               |          |         |                           |

[1] weights: the file's hash is not the one in its name

[2] faces made by a network

[3] (edge): the chosen value is the first or last of its grid, so the best one may lie outside it.

[4] failed: out of memory
)");
}

TEST(Markdown, ColumnsAreAlignedWhateverTheScript) {
  const std::string text = to_markdown(compare({sample_result("größe", 0.5), sample_result("视觉", 0.5)}, {}));
  std::size_t width = 0;
  for (const std::string& line : split(text, '\n')) {
    if (!line.starts_with("|")) continue;
    if (width == 0) width = display_width(line);
    EXPECT_EQ(display_width(line), width) << line;
  }
}

TEST(Markdown, TextStaysText) {
  experiments::Result r = sample_result("a|b*c<script>", 0.5);
  r.class_names = {"<script>alert(1)</script>", "_x_"};
  const std::string text = to_markdown(compare({r}, {}));
  EXPECT_NE(text.find("a\\|b\\*c\\<script\\>"), std::string::npos) << text;
  EXPECT_NE(text.find("\\<script\\>alert(1)\\</script\\>, \\_x\\_"), std::string::npos) << text;
}

TEST(Compare, AveragesSeedsAndKeepsTheirDeviationApart) {
  const ComparisonTable table =
      compare({sample_result("a", 0.7, "logreg", 0), sample_result("a", 0.8, "logreg", 1)}, {});
  ASSERT_EQ(table.sections.at(0).rows.size(), 1u);
  const Estimate& accuracy = table.sections[0].rows[0].metrics[0];
  EXPECT_DOUBLE_EQ(*accuracy.value, 0.75);
  EXPECT_NEAR(*accuracy.deviation, std::sqrt(0.005), 1e-15);
}

TEST(Compare, ASecondResultOfTheSameCellIsNotASeed) {
  experiments::Result other = sample_result("a", 0.9);
  other.key = "other weights";
  const ComparisonTable table = compare({sample_result("a", 0.7), other}, {});
  ASSERT_EQ(table.sections[0].rows.size(), 2u);
  EXPECT_EQ(table.sections[0].rows[1].backbone, "a (2)");
}

TEST(Compare, SplitsAndShotsAreSectionsOfTheirOwn) {
  experiments::Result other_split = sample_result("a", 0.7), few = sample_result("a", 0.7);
  other_split.split_hash = "another";
  few.cell.shots = 4;
  EXPECT_EQ(compare({sample_result("a", 0.7), other_split, few}, {}).sections.size(), 3u);
}

TEST(Compare, TakesTheBaselineOfTheSameProbe) {
  const ComparisonTable table =
      compare({sample_result("a", 0.9, "knn"), sample_result("b", 0.5, "logreg"), sample_result("b", 0.6, "knn")},
              {.baseline = "b"});
  EXPECT_NEAR(table.sections[0].rows[0].difference->value, 0.3, 1e-12);
  EXPECT_TRUE(table.sections[0].rows[1].is_baseline);
}

TEST(Compare, UnknownBaselineSuggestsTheNearest) {
  try {
    compare({sample_result("resnet18", 0.5)}, {.baseline = "resnet8"});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::usage);
    EXPECT_NE(e.hint().find("resnet18"), std::string::npos);
  }
}

TEST(Compare, UndefinedMetricIsADash) {
  experiments::Result r = sample_result("a", 0.5);
  r.metrics["auc"] = std::nullopt;
  EXPECT_NE(to_markdown(compare({r}, {})).find("|       - |"), std::string::npos);
}

TEST(Compare, NoResultsMakeAnEmptyTable) { EXPECT_TRUE(compare({}, {}).sections.empty()); }

TEST(Csv, HoldsEveryNumberInFull) {
  const CsvTable csv = CsvTable::parse(to_csv(sample_table()), "table.csv");
  ASSERT_EQ(csv.rows(), 3u);
  double value = 0;
  ASSERT_TRUE(parse_double(csv.cell(0, csv.column("accuracy")), value));
  EXPECT_EQ(value, 47.0 / 60);
  EXPECT_EQ(csv.cell(1, csv.column("baseline")), "yes");
  EXPECT_EQ(csv.cell(2, csv.column("status")), "failed");
  EXPECT_EQ(csv.cell(2, csv.column("error")), "out of memory");
}

TEST(Terminal, DropsTheLeastImportantColumnsToFit) {
  const std::string text = to_terminal(sample_table(), {.colour = false, .width = 60});
  EXPECT_NE(text.find("not shown at this width: chosen on val"), std::string::npos) << text;
  for (const std::string& line : split(text, '\n'))
    EXPECT_TRUE(line.find("resnet18 ") == std::string::npos || display_width(line) <= 60) << line;
}

TEST(Terminal, ControlCharactersOfNamesDoNotReachIt) {
  EXPECT_EQ(to_terminal(compare({sample_result("a\x1b[31m", 0.5)}, {}), {}).find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace vise::reports
