// What folders say, as people arrange them: splits in every spelling, and nothing guessed without a word.
#include "datasets/folder_layout.h"

#include <gtest/gtest.h>

#include "tests/unit/datasets/trees.h"

namespace vise::datasets {
namespace {

using test::error_of;
using test::Names;

FolderLayout layout_of(Names ids) {
  std::sort(ids.begin(), ids.end());
  return folder_layout(ids);
}

// "train:cold" of every id in order; "-" for an unknown label.
Names told(const Names& ids) {
  const FolderLayout layout = layout_of(ids);
  Names words;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::string part(layout.official ? part_name(layout.official->part(i)) : "none");
    words.push_back(part + ":" + (layout.labels[i].empty() ? "-" : layout.labels[i]));
  }
  return words;
}

class PartName : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(PartName, IsReadInItsUsualSpellings) {
  const auto [name, expected] = GetParam();
  const auto part = part_named(name);
  EXPECT_EQ(part ? part_name(*part) : "none", expected) << name;
}

INSTANTIATE_TEST_SUITE_P(
    Spellings, PartName,
    testing::Values(std::pair("train", "train"), std::pair("Training", "train"), std::pair("training_set", "train"),
                    std::pair("train-set", "train"), std::pair("TrainSet", "train"), std::pair("trainset", "train"),
                    std::pair("train2017", "train"), std::pair("train_images", "train"),
                    std::pair("seg_train", "train"), std::pair("images train", "train"), std::pair("trn", "train"),
                    std::pair("val", "val"), std::pair("VALID", "val"), std::pair("validation data", "val"),
                    std::pair("dev", "val"), std::pair("val2017", "val"), std::pair("test", "test"),
                    std::pair("test_set", "test"), std::pair("Testing", "test"), std::pair("testData", "test"),
                    std::pair("unlabeled", "unused"), std::pair("unlabelled_images", "unused"),
                    std::pair("trainval", "none"), std::pair("train_val", "none"), std::pair("trainer", "none"),
                    std::pair("fold1", "none"), std::pair("images", "none"), std::pair("contest", "none"),
                    std::pair("eval", "none"), std::pair("PublicTest", "val"), std::pair("private_test", "test"),
                    std::pair("public", "none"), std::pair("", "none")));

TEST(FolderLayout, LeavesOutWhatLiesBesideTheSplitAndSaysSo) {
  const Names ids{"overview.png", "test/cold/1.jpg", "test/warm/1.jpg", "train/cold/1.jpg", "train/warm/1.jpg"};
  EXPECT_EQ(told(ids), (Names{"unused:-", "test:cold", "test:warm", "train:cold", "train:warm"}));
  EXPECT_EQ(layout_of(ids).remarks, (Names{"1 image outside test/, train/ is unused, for example overview.png"}));
}

TEST(FolderLayout, ReadsSetsAndImagesInTheFoldersNames) {
  EXPECT_EQ(told({"test_set/cold/1.jpg", "test_set/warm/1.jpg", "training_set/cold/1.jpg", "training_set/warm/1.jpg"}),
            (Names{"test:cold", "test:warm", "train:cold", "train:warm"}));
  EXPECT_EQ(told({"images/Test Images/cold/1.jpg", "images/Train Images/cold/1.jpg", "images/Train Images/warm/1.jpg"}),
            (Names{"test:cold", "train:cold", "train:warm"}));
}

TEST(FolderLayout, LeavesFoldersOfOtherNamesOut) {
  const Names ids{"images to predict/1.jpg", "images to predict/2.jpg", "test/cold/1.jpg", "train/cold/1.jpg",
                  "train/warm/1.jpg",        "unlabeled/1.jpg",         "valid/warm/1.jpg"};
  EXPECT_EQ(told(ids),
            (Names{"unused:-", "unused:-", "test:cold", "train:cold", "train:warm", "unused:-", "val:warm"}));
  EXPECT_EQ(layout_of(ids).remarks.size(), 1u);
  EXPECT_NE(layout_of(ids).remarks[0].find("3 images outside test/, train/, valid/ are unused"), std::string::npos);
}

TEST(FolderLayout, TakesTrainAndValAloneForASplit) {
  EXPECT_EQ(told({"train/cold/1.jpg", "train/warm/1.jpg", "val/cold/1.jpg", "val/warm/1.jpg"}),
            (Names{"train:cold", "train:warm", "val:cold", "val:warm"}));
}

TEST(FolderLayout, LooksIntoTrainWhereNothingElseIsASplit) {
  const Names ids{"train/cold/1.jpg", "train/warm/1.jpg", "unlabeled/1.jpg"};
  EXPECT_EQ(told(ids), (Names{"none:cold", "none:warm", "none:-"}));
  EXPECT_EQ(layout_of(ids).remarks.size(), 1u);
  EXPECT_EQ(told({"one.jpg", "train/cold/1.jpg", "train/warm/1.jpg"}), (Names{"none:-", "none:cold", "none:warm"}));
}

TEST(FolderLayout, ReadsSplitsWithinTheClasses) {
  const Names ids{"cold/test/1.jpg", "cold/train/1.jpg", "warm/extra.jpg", "warm/test/1.jpg", "warm/train/1.jpg"};
  EXPECT_EQ(told(ids), (Names{"test:cold", "train:cold", "unused:warm", "test:warm", "train:warm"}));
  EXPECT_EQ(layout_of(ids).remarks.size(), 1u);
}

TEST(FolderLayout, LooksThroughAFolderThatAllPartsShare) {
  EXPECT_EQ(told({"test/images/cold/1.jpg", "train/images/cold/1.jpg", "train/images/warm/1.jpg"}),
            (Names{"test:cold", "train:cold", "train:warm"}));
}

TEST(FolderLayout, CountsImagesWithoutAClassFolder) {
  const Names ids{"cold/1.jpg", "stray.jpg", "warm/1.jpg"};
  EXPECT_EQ(told(ids), (Names{"none:cold", "none:-", "none:warm"}));
  EXPECT_NE(layout_of(ids).remarks.at(0).find("1 images lie in no class folder"), std::string::npos);
  const Names flat{"test/1.jpg", "train/cold/1.jpg", "train/warm/1.jpg"};
  EXPECT_EQ(told(flat), (Names{"test:-", "train:cold", "train:warm"}));
  EXPECT_NE(layout_of(flat).remarks.at(0).find("have no label, for example test/1.jpg"), std::string::npos);
}

// A train is also a vehicle.
TEST(FolderLayout, TakesATrainBesideCarsForAClassAndSaysSo) {
  const Names ids{"car/1.jpg", "plane/1.jpg", "train/1.jpg"};
  EXPECT_EQ(told(ids), (Names{"none:car", "none:plane", "none:train"}));
  EXPECT_EQ(layout_of(ids).remarks, (Names{"the folder 'train' is taken for a class, as 'car', 'plane' beside it"}));
}

TEST(FolderLayout, RefusesHalfASplit) {
  const Error error = error_of([] { layout_of({"holdout/cold/1.jpg", "holdout/warm/1.jpg", "train/cold/1.jpg"}); });
  EXPECT_EQ(error.kind(), ErrorKind::input);
  EXPECT_NE(error.message().find("'train' has a split's name, 'holdout' beside it has not"), std::string::npos);
}

TEST(FolderLayout, SaysWhereEitherLevelMayBeTheClasses) {
  const FolderLayout layout =
      layout_of({"siteA/cold/1.jpg", "siteA/warm/1.jpg", "siteB/cold/1.jpg", "siteB/warm/1.jpg"});
  EXPECT_EQ(layout.labels, (Names{"siteA", "siteA", "siteB", "siteB"}));
  ASSERT_EQ(layout.remarks.size(), 1u);
  EXPECT_NE(layout.remarks[0].find("each holds the same ones, 'cold', 'warm'"), std::string::npos);
}

TEST(FolderLayout, IsQuietAboutPlainClassFolders) {
  EXPECT_TRUE(layout_of({"cold/1.jpg", "warm/deep/1.jpg"}).remarks.empty());
  EXPECT_TRUE(layout_of({"1.jpg", "2.jpg"}).remarks.empty());
}

}  // namespace
}  // namespace vise::datasets
