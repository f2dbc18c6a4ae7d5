#include "reports/published.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "reports/compare.h"
#include "reports/table.h"
#include "reports/writers.h"
#include "tests/shared.h"
#include "tests/unit/reports/samples.h"

namespace vise::reports {
namespace {

class Published : public testing::Test {
 protected:
  std::vector<PublishedRecord> read(const std::string& yaml) {
    write_file_atomically(dir_ / "published.yaml", yaml);
    return read_published(dir_ / "published.yaml");
  }
  test::ScratchDir dir_;
};

TEST_F(Published, NamesMatchByLettersAndByTheLiteraturesNames) {
  const auto records = read(
      "a:\n  - {task: UnbiasedEmotion, backbone: VisE-250M R50, protocol: linear, metric: accuracy, value: 55.5, std: "
      "0.5, source: X}\n"
      "b:\n  - {task: HatefulMemes val, backbone: Image-Grid, metric: AUROC, value: 58.79}\n");
  EXPECT_EQ(published_for(records, "emotion", "vise-250m", "accuracy").size(), 1u);
  EXPECT_EQ(published_for(records, "hateful-memes", "image-grid", "auc").size(), 1u);
  EXPECT_TRUE(published_for(records, "emotion", "vise-1.2m", "accuracy").empty());
}

TEST_F(Published, NullsStayEmpty) {
  const auto records = read("- {task: emotion, backbone: a, metric: accuracy, value: null}\n");
  ASSERT_EQ(records.size(), 1u);
  EXPECT_TRUE(published_for(records, "emotion", "a", "accuracy").empty());
}

TEST_F(Published, BadRecordsNameTheirLine) {
  for (const char* bad : {"- {task: a, backbone: b, metric: c, value: 1}\n- {task: a, backbone: b}\n",
                          "- {task: a, backbone: b, metric: c}\n- {task: a, backbone: b, metric: c, value: high}\n"}) {
    try {
      read(bad);
      ADD_FAILURE() << bad;
    } catch (const Error& e) {
      EXPECT_NE(e.message().find("line 2"), std::string::npos) << e.message();
    }
  }
}

TEST_F(Published, StandInAColumnWithProtocolAndSourceInAFootnote) {
  CompareOptions options;
  options.published = read(
      "- {task: omi300/happy, backbone: resnet18, protocol: fine-tune, metric: accuracy, value: 81.5, source: a "
      "report, seen_in: x}\n");
  const std::string text =
      to_markdown(compare({test::sample_result("resnet18", 0.5), test::sample_result("b", 0.5)}, options));
  EXPECT_NE(text.find("published"), std::string::npos);
  EXPECT_NE(text.find(" 81.5 [1] |"), std::string::npos) << text;
  EXPECT_NE(text.find("protocol there: fine-tune, here: logreg; a report (seen in x)"), std::string::npos) << text;
}

TEST_F(Published, TheProgramKnowsThoseOfItsFileAndGuessesNoneOfVises) {
  EXPECT_EQ(published_for(builtin_published(), "cub", "moco-v2", "accuracy").size(), 2u);
  EXPECT_EQ(published_for(builtin_published(), "cub", "imagenet-v1", "accuracy").size(), 2u);
  std::size_t of_vise = 0;
  for (const PublishedRecord& record : builtin_published()) {
    if (!record.backbone.starts_with("VisE")) continue;
    ++of_vise;
    EXPECT_FALSE(record.value) << record.task;
  }
  EXPECT_EQ(of_vise, 12u);
}

TEST_F(Published, TheProgramsFileIsTheReferenceFile) {
  VISE_NEEDS_SHARED();
  EXPECT_EQ(builtin_published_file().at("published"), read_text_file(test::shared_dir() / "published.yaml"));
}

TEST_F(Published, TheReferenceFileIsRead) {
  VISE_NEEDS_SHARED();
  const auto records = read_published(test::shared_dir() / "published.yaml");
  EXPECT_GT(records.size(), 50u);
  EXPECT_EQ(published_for(records, "hateful-memes", "image-grid", "accuracy").size(), 2u);
}

}  // namespace
}  // namespace vise::reports
