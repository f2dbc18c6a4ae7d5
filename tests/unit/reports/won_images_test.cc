// Who wins which image, against what the saved scores say.
#include "reports/won_images.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/npy.h"
#include "reports/compare.h"
#include "reports/report.h"
#include "reports/writers.h"
#include "tests/shared.h"
#include "tests/unit/reports/samples.h"

namespace vise::reports {
namespace {

class WonImages : public testing::Test {
 protected:
  void SetUp() override {
    for (const auto& [backbone, skill] : {std::pair{"base", 0.6}, std::pair{"good", 0.8}})
      results_.push_back(test::simulated_result(dir_.path(), backbone, skill, 120, 0));
    Silent log;
    CompareOptions options{.baseline = "base"};
    options.resamples = 200;
    report_.emplace(make_report({{dir_.path(), results_}}, options, Context{log, {}, 1}));
  }

  // Of one model: by id, whether it is right, and the softmax probability of what it says.
  std::map<std::string, std::pair<bool, double>> answers(std::size_t result) const {
    std::map<std::string, std::pair<bool, double>> answers;
    const experiments::SavedScores saved = experiments::read_scores(dir_.path(), results_[result]);
    for (std::size_t i = 0; i < saved.ids.size(); ++i) {
      const double z = saved.scores(i, 1) - saved.scores(i, 0);
      answers[saved.ids[i]] = {(z > 0) == (saved.targets.classes()[i] == 1), 1 / (1 + std::exp(-std::fabs(z)))};
    }
    return answers;
  }

  test::ScratchDir dir_;
  std::vector<experiments::Result> results_;
  std::optional<Report> report_;
};

TEST_F(WonImages, AreThoseThatOneModelAloneGetsRightTheSurestFirst) {
  const auto base = answers(0), good = answers(1);
  const SectionEvidence& evidence = report_->evidence[0];
  const std::vector<WonImage> won = won_images(evidence, 1, 0);
  std::size_t expected = 0;
  for (const auto& [id, answer] : base) expected += answer.first != good.at(id).first;
  ASSERT_EQ(won.size(), expected);
  double before = 1;
  for (const WonImage& image : won) {
    const std::string& id = evidence.ids()[image.item];
    EXPECT_NE(base.at(id).first, good.at(id).first) << id;
    EXPECT_EQ(image.by_row, good.at(id).first) << id;
    EXPECT_NEAR(image.row.confidence, good.at(id).second, 1e-12);
    EXPECT_NEAR(image.other.confidence, base.at(id).second, 1e-12);
    EXPECT_LE(image.winner().confidence, before);
    before = image.winner().confidence;
  }
  const Difference& difference = *report_->table.sections[0].rows[1].difference;
  EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(won, true, &WonImage::by_row)), difference.only_row);
  EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(won, false, &WonImage::by_row)), difference.only_baseline);
}

TEST_F(WonImages, StandInTheReportsJsonByTheirPlaces) {
  const Json section = parse_json(to_json_text(report_->table, report_->evidence), "report")["sections"][0];
  const Json& difference = section["rows"][1]["difference"];
  const auto base = answers(0), good = answers(1);
  EXPECT_EQ(difference["only_row_images"].size(), difference["only_row"]);
  EXPECT_EQ(difference["only_baseline_images"].size(), difference["only_baseline"]);
  for (const Json& place : difference["only_row_images"]) {
    const std::string id = section["images"][place.get<std::size_t>()];
    EXPECT_TRUE(good.at(id).first && !base.at(id).first) << id;
  }
}

TEST_F(WonImages, LeaveThePageWhereTheyWouldMakeItLarge) {
  EXPECT_FALSE(answers_json(report_->table, report_->evidence, 1'000'000)[0].is_null());
  EXPECT_TRUE(answers_json(report_->table, report_->evidence, 1'000)[0].is_null());
}

}  // namespace
}  // namespace vise::reports
