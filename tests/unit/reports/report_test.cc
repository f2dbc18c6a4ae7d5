#include "reports/report.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "base/csv.h"
#include "base/error.h"
#include "datasets/png.h"
#include "reports/compare.h"
#include "reports/gallery.h"
#include "reports/statistics/mcnemar.h"
#include "reports/thumbnail.h"
#include "reports/writers.h"
#include "tests/shared.h"
#include "tests/unit/reports/samples.h"

namespace vise::reports {
namespace {

using test::simulated_result;

class Reports : public testing::Test {
 protected:
  Path run() const { return dir_.path(); }
  Report report(std::vector<experiments::Result> results, const std::string& baseline = "base", int threads = 1,
                int resamples = 2000) {
    CompareOptions options{.baseline = baseline};
    options.resamples = resamples;
    return make_report({{run(), std::move(results)}}, options, Context{log_, {}, threads});
  }
  std::vector<experiments::Result> three() {
    return {simulated_result(run(), "base", 0.6, 400), simulated_result(run(), "good", 0.8, 400),
            simulated_result(run(), "same", 0.6, 400)};
  }

  test::ScratchDir dir_;
  Silent log_;
};

TEST_F(Reports, EveryMetricGetsAnIntervalAroundIt) {
  const Report r = report(three());
  for (const TableRow& row : r.table.sections.at(0).rows)
    for (const Estimate& e : row.metrics) {
      ASSERT_TRUE(e.interval);
      EXPECT_LT(e.interval->low, *e.value);
      EXPECT_GT(e.interval->high, *e.value);
    }
}

// Nothing varies in a resample within classes where every image is right; 400 of 400 is still no proof of 100 %.
TEST_F(Reports, ModelThatIsAlwaysRightHasNoIntervalOfNoWidth) {
  const Report r = report({simulated_result(run(), "base", 2, 400), simulated_result(run(), "equal", 2, 400)});
  const TableSection& section = r.table.sections.at(0);
  for (std::size_t m = 0; m < section.metrics.size(); ++m) {
    const Estimate& e = section.rows[1].metrics[m];
    ASSERT_EQ(*e.value, 1) << section.metrics[m];
    EXPECT_EQ(e.interval.has_value(), section.metrics[m] == "accuracy");
  }
  const Estimate& accuracy = section.rows[1].metrics[0];
  ASSERT_TRUE(accuracy.interval);
  EXPECT_NEAR(accuracy.interval->low, std::pow(0.025, 1 / 400.), 1e-12);  // Clopper and Pearson's, k = n
  EXPECT_EQ(accuracy.interval->high, 1);
  EXPECT_FALSE(section.rows[1].difference->interval);
  EXPECT_EQ(*section.rows[1].difference->p, 1);
}

TEST_F(Reports, DifferencesAreTestedByMcNemarAndAdjusted) {
  const Report r = report(three());
  const Difference& good = *r.table.sections[0].rows[1].difference;
  EXPECT_EQ(good.test, "McNemar, exact");
  EXPECT_EQ(*good.p, mcnemar(good.only_row, good.only_baseline).p_exact);
  EXPECT_TRUE(good.survives);
  EXPECT_GT(*good.p_holm, *good.p);
  EXPECT_NEAR(good.value, (static_cast<double>(good.only_row) - static_cast<double>(good.only_baseline)) / 400, 1e-12);
  EXPECT_FALSE(r.table.sections[0].rows[2].difference->survives);
  ASSERT_EQ(good.per_class.size(), 2u);
  EXPECT_NEAR((good.per_class[0] + good.per_class[1]) / 2, good.value, 1e-12);  // classes are equally large
  EXPECT_TRUE(good.detectable);
}

TEST_F(Reports, AucIsTestedByDeLongAndOtherMetricsByTheBootstrap) {
  std::vector<experiments::Result> auc = three(), f1 = three();
  for (experiments::Result& r : auc) r.primary_metric = "auc";
  for (experiments::Result& r : f1) r.primary_metric = "f1_macro";
  EXPECT_EQ(report(auc).table.sections[0].rows[1].difference->test, "DeLong");
  EXPECT_EQ(report(f1).table.sections[0].rows[1].difference->test, "paired bootstrap");
}

TEST_F(Reports, SurvivingDifferencesAreBoldAndOthersSayNs) {
  const std::string text = to_markdown(report(three()).table);
  EXPECT_NE(text.find("**+"), std::string::npos) << text;
  EXPECT_NE(text.find("] ns |"), std::string::npos) << text;
}

TEST_F(Reports, NumbersDoNotDependOnThreads) {
  const auto results = three();
  EXPECT_EQ(to_csv(report(results, "base", 1).table), to_csv(report(results, "base", 3).table));
}

// Item i of one model is item i of the other by its id, not by its row.
TEST_F(Reports, RowsOfScoresMayComeInAnyOrder) {
  const auto results = three();
  const std::string before = to_csv(report(results).table);
  const Path csv = run() / ("scores/" + results[1].key + ".test.csv"), npy = run() / results[1].scores_file;
  const CsvTable items = CsvTable::parse(read_text_file(csv), "csv");
  const std::vector<double> values = NpyArray::open(npy).to_doubles();
  std::string turned = "id,target\n";
  std::vector<double> turned_values;
  for (std::size_t i = items.rows(); i-- > 0;) {
    turned += items.cell(i, 0) + "," + items.cell(i, 1) + "\n";
    turned_values.insert(turned_values.end(), {values[2 * i], values[2 * i + 1]});
  }
  write_file_atomically(csv, turned);
  write_npy(npy, std::span<const double>(turned_values), {items.rows(), 2});
  EXPECT_EQ(to_csv(report(results).table), before);
}

TEST_F(Reports, WithoutScoresTheTableSaysSoOnce) {
  std::vector<experiments::Result> results{test::sample_result("base", 0.5), test::sample_result("other", 0.6)};
  const Report r = report(results);
  EXPECT_EQ(r.table.footnotes, std::vector<std::string>{kNoScores});
  EXPECT_FALSE(r.table.sections[0].rows[1].difference->p);
  EXPECT_NEAR(r.table.sections[0].rows[1].difference->value, 0.1, 1e-12);
}

TEST_F(Reports, ResultsThatTheirScoresContradictGetAFootnote) {
  auto results = three();
  *results[1].metrics["accuracy"] += 0.01;
  const Report r = report(results);
  ASSERT_EQ(r.table.footnotes.size(), 1u);
  EXPECT_NE(r.table.footnotes[0].find("accuracy recomputed"), std::string::npos);
}

TEST_F(Reports, EveryMetricIsHeldAgainstTheScores) {
  EXPECT_TRUE(report(three()).table.footnotes.empty());
  const std::map<std::string, std::optional<double>> recorded = three()[1].metrics;
  ASSERT_TRUE(recorded.contains("auc"));
  for (const auto& [metric, value] : recorded) {
    if (!value) continue;
    auto results = three();
    *results[1].metrics[metric] -= 0.01;
    const Report r = report(results);
    ASSERT_EQ(r.table.footnotes.size(), 1u) << metric;
    EXPECT_NE(r.table.footnotes[0].find("recomputed from the scores"), std::string::npos) << metric;
  }
}

// Seeds that agree to the last bit add nothing; seeds that differ widen the interval.
TEST_F(Reports, SeedsAddTheirOwnVarianceToIntervals) {
  std::vector<experiments::Result> one{simulated_result(run(), "base", 0.7, 400)}, same, spread;
  for (const std::uint64_t seed : {0, 1, 2}) {
    experiments::Result copy = one[0];
    copy.cell.seed = seed;
    copy.key += std::to_string(seed);
    same.push_back(copy);  // the scores of one model under three seeds
    spread.push_back(simulated_result(run(), "spread", 0.6 + 0.1 * static_cast<double>(seed), 400, seed));
  }
  const auto interval = [&](const std::vector<experiments::Result>& results) {
    return *report(results, results[0].cell.backbone).table.sections[0].rows[0].metrics[0].interval;
  };
  EXPECT_NEAR(interval(same).low, interval(one).low, 1e-12);
  EXPECT_NEAR(interval(same).high, interval(one).high, 1e-12);
  // Three seeds 10 points apart: s = 10 points, s / sqrt(3) = 5.8 beside about 1.6 points of three averaged models.
  const Interval wide = interval(spread);
  EXPECT_GT(wide.high - wide.low, 2 * (interval(one).high - interval(one).low));
}

TEST_F(Reports, SeedsAreAveragedInsideEachResample) {
  std::vector<experiments::Result> results;
  for (const std::uint64_t seed : {0, 1, 2})
    for (const char* backbone : {"base", "good"})
      results.push_back(simulated_result(run(), backbone, backbone[0] == 'g' ? 0.8 : 0.6, 400, seed));
  const TableRow row = report(results).table.sections[0].rows[1];
  EXPECT_EQ(row.seeds, 3u);
  EXPECT_TRUE(row.metrics[0].deviation);
  EXPECT_EQ(row.difference->test, "t over seeds and images");
  EXPECT_TRUE(row.difference->survives);
}

TEST_F(Reports, BadScoresAreAnErrorThatNamesTheFile) {
  const auto results = three();
  std::ofstream(run() / ("scores/" + results[0].key + ".test.csv"), std::ios::app) << "faces/0.png,1\n";
  try {
    report(results);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::input);
    EXPECT_NE(e.message().find("faces/0.png"), std::string::npos) << e.message();
  }
}

TEST_F(Reports, LabelsThatDisagreeAreAnError) {
  const auto results = three();
  const Path csv = run() / ("scores/" + results[1].key + ".test.csv");
  std::string text = read_text_file(csv);
  text.replace(text.find(",0"), 2, ",1");
  write_file_atomically(csv, text);
  EXPECT_THROW(report(results), Error);
}

TEST_F(Reports, SwitchingTheBaselineEqualsStartingWithIt) {
  const auto results = three();
  Report switched = report(results, "base");
  switch_baseline(switched, "good");
  EXPECT_EQ(to_csv(switched.table), to_csv(report(results, "good").table));
}

TEST_F(Reports, OfEqualKeysTheLastRunCounts) {
  auto first = three(), second = three();
  first.resize(2);
  first[1].metrics["accuracy"] = 0.123;
  const Report r =
      make_report({{run() / "elsewhere", first}, {run(), second}}, {.baseline = "base"}, Context{log_, {}, 1});
  EXPECT_EQ(r.table.results.size(), 3u);
  EXPECT_TRUE(r.table.footnotes.empty());
}

TEST_F(Reports, SectionsHaveTheirTasksOwnBaselines) {
  std::vector<experiments::Result> results;
  for (const char* task : {"one", "two", "three"})
    for (const char* backbone : {"a", "b"}) {
      results.push_back(test::sample_result(backbone, 0.5));
      results.back().cell.task = task;
      results.back().key += task;
    }
  CompareOptions options;
  options.baselines = {{"one", "a"}, {"two", "b"}, {"three", "not there"}};
  const ComparisonTable table = compare(std::move(results), options);
  EXPECT_EQ(table.sections[0].baseline, "a");
  EXPECT_EQ(table.sections[1].baseline, "b");
  EXPECT_EQ(table.sections[2].baseline, "a");  // the first row
  EXPECT_EQ(table.baseline, "");
  EXPECT_NE(to_markdown(table).find("vs b"), std::string::npos);
}

TEST_F(Reports, FailureThatSucceededLaterIsLeftOut) {
  std::vector<experiments::Result> results = three();
  experiments::Result failed = results[1];
  failed.status = experiments::CellStatus::failed;
  failed.error = "no weights yet";
  failed.key = "of what was asked for";
  results.insert(results.begin(), failed);
  const Report r = report(results);
  EXPECT_EQ(r.table.sections[0].rows.size(), 3u);
  EXPECT_EQ(to_markdown(r.table).find("no weights yet"), std::string::npos);
}

TEST_F(Reports, VotesGiveANoiseCeilingAndAccuracyByAgreement) {
  experiments::Result result = simulated_result(run(), "base", 0.6, 4);  // truth alternates: high, low, high, low
  write_file_atomically(run() / ("scores/" + result.key + ".test.csv"),
                        "id,target,votes\na,0,10 0\nb,1,5 5\nc,0,8 2\nd,1,7 3\n");
  const Report r = report({result});
  EXPECT_NEAR(*r.table.sections[0].annotator_agreement, (1 + 0.5 + 0.8 + 0.3) / 4, 1e-12);
  std::vector<std::size_t> counts;
  for (const AgreementBin& bin : r.evidence[0].rows()[0].agreement) counts.push_back(bin.count);
  EXPECT_EQ(counts, (std::vector<std::size_t>{1, 1, 1, 0, 1}));
  EXPECT_NE(to_markdown(r.table).find("Noise ceiling"), std::string::npos);
}

TEST_F(Reports, ValuesGetIntervalsAndPairedTests) {
  std::vector<experiments::Result> results;
  for (const auto& [backbone, noise] : {std::pair{"base", 1.0}, {"good", 0.2}}) {
    experiments::Result r = test::sample_result(backbone, 0);
    RandomStream random(backbone, 0), truth("truth", 0);
    std::string csv = "id,target\n";
    std::vector<double> predicted;
    for (int i = 0; i < 200; ++i) {
      const double y = truth.normal();
      predicted.push_back(y + noise * random.normal());
      csv += std::to_string(i) + "," + std::to_string(y) + "\n";
    }
    r.target_kind = datasets::TargetKind::values;
    r.class_names = {"score"};
    r.primary_metric = "pearson";
    r.metrics = {{"pearson", 1 / std::sqrt(1 + noise * noise)}};
    r.sizes.test = 200;
    r.scores_file = "scores/" + r.key + ".test.npy";
    write_npy(run() / r.scores_file, std::span<const double>(predicted), {200, 1});
    write_file_atomically(run() / ("scores/" + r.key + ".test.csv"), csv);
    results.push_back(r);
  }
  const Report r = report(results);
  const Difference& d = *r.table.sections[0].rows[1].difference;
  EXPECT_EQ(d.test, "paired bootstrap");
  EXPECT_TRUE(d.survives);
  EXPECT_TRUE(r.table.sections[0].rows[0].metrics[0].interval);
  EXPECT_TRUE(d.per_class.empty());
}

TEST_F(Reports, GalleryBeginsWithTheSurest) {
  const Report r = report(three());
  const RowGallery gallery = row_gallery(r.evidence[0], 1, 5);
  ASSERT_EQ(gallery.wrong.size(), 5u);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(gallery.right[i].truth, gallery.right[i].predicted);
    EXPECT_NE(gallery.wrong[i].truth, gallery.wrong[i].predicted);
    EXPECT_GE(gallery.wrong[i > 0 ? i - 1 : 0].confidence, gallery.wrong[i].confidence);
  }
  EXPECT_FALSE(gallery_ids(r)[0].empty());
}

TEST_F(Reports, GallerysAttentionHasItsOwnNamesInJson) {
  Report r = report(three());
  r.thumbnails.resize(1);
  r.attention.resize(1);
  const experiments::Cell &first = r.table.sections[0].rows[0].cell, &second = r.table.sections[0].rows[1].cell;
  r.attention[0][{first.backbone, first.layer}].images["a"] = {{"data:one", 0.25F, 0.5F, 0.75},
                                                               {"data:two", 0.125F, 0.125F, 0.25}};
  r.attention[0][{second.backbone, second.layer}].none = "it has no class token";
  const Json section = page_json(r)["sections"][0];
  const Json& network = section["attention"][section["rows"][0]["gallery"]["network"].get<std::string>()];
  EXPECT_EQ(network["none"], "");
  const Json& image = network["images"]["a"];
  EXPECT_EQ(image["class_token_attention"],
            Json({{"picture", "data:one"}, {"least", 0.25}, {"most", 0.5}, {"sum", 0.75}}));
  EXPECT_EQ(image["attention_rollout"],
            Json({{"picture", "data:two"}, {"least", 0.125}, {"most", 0.125}, {"sum", 0.25}}));
  EXPECT_EQ(section["attention"][section["rows"][1]["gallery"]["network"].get<std::string>()]["none"],
            "it has no class token");
}

TEST(Thumbnail, IsAWebpOfTheImagesMiddle) {
  const std::string png = datasets::png_bytes(std::vector<std::uint8_t>(40 * 20 * 3, 128), 40, 20, 3);
  const std::string uri = picture_uri(thumbnail(as_byte_view(png), "wide.png", 16));
  EXPECT_TRUE(uri.starts_with("data:image/webp;base64,UklGR"));  // RIFF
  EXPECT_LT(uri.size(), 400u);
  EXPECT_THROW(thumbnail(as_byte_view("no image"), "no.png", 16), Error);
}

}  // namespace
}  // namespace vise::reports
