#include "datasets/folder.h"
#include "datasets/open_data.h"

#include <gtest/gtest.h>

#include "datasets/tree.h"
#include "tests/unit/datasets/trees.h"

namespace vise::datasets {
namespace {

using test::error_of;
using test::MiniTree;
using test::Names;

Dataset open_folder(const Path& folder) {
  Silent log;
  return open_data_path(folder, log);
}

TEST(ImageTree, SortsBytewiseAndSkipsWhatNobodyPutThere) {
  MiniTree tree;
  tree.images(
          {"b/2.JPG", "b/10.jpeg", "B/1.png", "a.webp", ".DS_Store", "b/Thumbs.db", "__MACOSX/b/2.JPG", "b/._2.JPG"})
      .file("readme.txt", "x");
  const ImageTree found = list_images(tree.path());
  EXPECT_EQ(found.images, (Names{"B/1.png", "a.webp", "b/10.jpeg", "b/2.JPG"}));
  EXPECT_EQ(found.others, (Names{"readme.txt"}));
  EXPECT_EQ(describe_others(found), "1 other file, such as readme.txt");
}

TEST(ImageTree, FollowsLinksButNotInCircles) {
  MiniTree tree;
  tree.images({"a/1.jpg"});
  std::filesystem::create_directory_symlink(tree.path(), tree / "a/loop");
  std::filesystem::create_directory_symlink(tree / "a", tree / "again");
  EXPECT_EQ(list_images(tree.path()).images, (Names{"a/1.jpg", "again/1.jpg"}));
}

TEST(Folder, TakesTheFirstFolderForTheClass) {
  MiniTree tree;
  tree.images({"joy/1.jpg", "fear/deep/er/2.jpg", "fear/1.jpg"});
  const Dataset dataset = open_folder(tree.path());
  EXPECT_EQ(dataset.name, tree.path().filename().string());
  EXPECT_EQ(dataset.ids, (Names{"fear/1.jpg", "fear/deep/er/2.jpg", "joy/1.jpg"}));
  EXPECT_EQ(test::class_names(dataset.target("label")), (Names{"fear", "fear", "joy"}));
  EXPECT_FALSE(dataset.official);
}

TEST(Folder, LooksThroughFoldersThatEverythingLiesIn) {
  MiniTree tree;
  tree.images({"images/joy/1.jpg", "images/joyful/1.jpg"});
  EXPECT_EQ(open_folder(tree.path()).target("label").names(), (Names{"joy", "joyful"}));
}

TEST(Folder, TakesTrainValAndTestForTheSplit) {
  MiniTree tree;
  tree.images({"train/a/1.jpg", "train/b/1.jpg", "Validation/a/2.jpg", "test/3.jpg"});
  const Dataset dataset = open_folder(tree.path());
  EXPECT_EQ(dataset.ids, (Names{"Validation/a/2.jpg", "test/3.jpg", "train/a/1.jpg", "train/b/1.jpg"}));
  EXPECT_EQ(test::class_names(dataset.target("label")), (Names{"a", "-", "a", "b"}));
  EXPECT_EQ(dataset.official->part(0), Part::val);
  EXPECT_EQ(dataset.official->part(1), Part::test);
}

TEST(Folder, HasNoTargetsWhereImagesLieFlat) {
  MiniTree tree;
  tree.images({"1.jpg", "2.jpg"});
  EXPECT_TRUE(open_folder(tree.path()).targets.empty());
}

TEST(Folder, ReadsAHubsMetadata) {
  MiniTree tree;
  tree.images({"1.jpg", "2.jpg"}).file("metadata.csv", "file_name,label\n1.jpg,a\n2.jpg,b\n");
  const Dataset dataset = open_folder(tree.path());
  EXPECT_EQ(dataset.name, tree.path().filename().string());
  EXPECT_EQ(test::class_names(dataset.target("label")), (Names{"a", "b"}));
}

TEST(Folder, JoinsAHubsMetadataOfEverySplit) {
  MiniTree tree;
  tree.images({"train/1.jpg", "test/1.jpg"})
      .file("train/metadata.jsonl", "{\"file_name\": \"1.jpg\", \"label\": \"a\", \"text\": \"x\"}\n")
      .file("test/metadata.jsonl", "{\"file_name\": \"1.jpg\", \"label\": \"b\"}\n");
  const Dataset dataset = open_folder(tree.path());
  EXPECT_EQ(dataset.ids, (Names{"test/1.jpg", "train/1.jpg"}));
  EXPECT_EQ(test::class_names(dataset.target("label")), (Names{"b", "a"}));
  EXPECT_EQ(dataset.attribute("text"), (Names{"", "x"}));
  EXPECT_EQ(dataset.official->part(0), Part::test);
}

TEST(Folder, TakesLabelsFromFoldersWhereTheMetadataHaveNone) {
  MiniTree tree;
  tree.images({"cold/1.jpg", "warm/1.jpg"})
      .file("metadata.csv", "file_name,caption\nwarm/1.jpg,a picture\ncold/1.jpg,another\n");
  RecordingLog log;
  const Dataset dataset = open_data_path(tree.path(), log);
  EXPECT_EQ(test::class_names(dataset.target("label")), (Names{"warm", "cold"}));
  EXPECT_EQ(dataset.attribute("caption")[1], "another");
  ASSERT_EQ(log.warnings().size(), 1u);
  EXPECT_NE(log.warnings()[0].find("the labels are the names of folders (cold, warm)"), std::string::npos);
}

TEST(Folder, JoinsMetadataInTheClassFolders) {
  MiniTree tree;
  tree.images({"cold/1.jpg", "warm/1.jpg"})
      .file("cold/metadata.csv", "file_name,photographer\n1.jpg,kim\n")
      .file("warm/metadata.csv", "file_name,photographer\n1.jpg,lee\n");
  const Dataset dataset = open_folder(tree.path());
  EXPECT_EQ(dataset.ids, (Names{"cold/1.jpg", "warm/1.jpg"}));
  EXPECT_EQ(test::class_names(dataset.target("label")), (Names{"cold", "warm"}));
  EXPECT_EQ(dataset.attribute("photographer"), (Names{"kim", "lee"}));
}

TEST(Folder, KeepsMetadataWithLabelsAsTheyAre) {
  MiniTree tree;
  tree.images({"cold/1.jpg", "warm/1.jpg"})
      .file("metadata.csv", "file_name,votes:x,votes:y\nwarm/1.jpg,1,0\ncold/1.jpg,0,2\n");
  EXPECT_EQ(test::class_names(open_folder(tree.path()).target("label")), (Names{"x", "y"}));
}

TEST(Folder, WarnsOfImagesOutsideTheSplit) {
  MiniTree tree;
  tree.images({"overview.png", "test/cold/1.jpg", "train/cold/1.jpg", "train/warm/1.jpg"});
  RecordingLog log;
  const Dataset dataset = open_data_path(tree.path(), log);
  EXPECT_EQ(dataset.official->part(0), Part::unused);
  EXPECT_EQ(log.warnings().size(), 1u);
  EXPECT_EQ(dataset.notes.size(), 1u);
}

// Of which folders a word is said, by name.
Names passed_over(const MiniTree& tree) {
  RecordingLog log;
  const Dataset dataset = open_data_path(tree.path(), log);
  Names said;
  for (const std::string& note : dataset.notes) {
    EXPECT_TRUE(test::mentions(log.warnings(), note)) << note;
    if (note.starts_with("no image is in ")) said.push_back(note);
  }
  return said;
}

TEST(Folder, WarnsOfClassFoldersWithoutAnImage) {
  MiniTree tree;
  tree.images({"joy/1.jpg", "fear/1.jpg"}).file("rage/1.txt", "x").file("rage/deeper/2.txt", "x");
  std::filesystem::create_directories(tree / "sadness/deep");
  std::filesystem::create_directories(tree / "joy/thumbnails");
  std::filesystem::create_directories(tree / ".hidden");
  EXPECT_EQ(passed_over(tree), (Names{"no image is in the folders 'rage', 'sadness', which are passed over"}));
}

TEST(Folder, WarnsOfClassesWithoutAnImageInAPartOfTheSplit) {
  MiniTree tree;
  tree.images({"train/joy/1.jpg", "train/fear/1.jpg", "test/joy/1.jpg"});
  std::filesystem::create_directories(tree / "test/fear");
  EXPECT_EQ(passed_over(tree), (Names{"no image is in the folder 'test/fear', which is passed over"}));
  MiniTree below;
  below.images({"joy/train/1.jpg", "joy/test/1.jpg", "fear/train/1.jpg"});
  std::filesystem::create_directories(below / "fear/test");
  EXPECT_EQ(passed_over(below), (Names{"no image is in the folder 'fear/test', which is passed over"}));
}

TEST(Folder, WarnsOfAPartOfTheSplitWithoutAnImage) {
  MiniTree tree;
  tree.images({"train/joy/1.jpg", "train/fear/1.jpg"});
  std::filesystem::create_directories(tree / "test/joy");
  EXPECT_EQ(passed_over(tree), (Names{"no image is in the folder 'test', which is passed over"}));
}

// Only one class has images, so there is no label; why, is said.
TEST(Folder, WarnsOfTheOtherClassesWhereOneAloneHasImages) {
  MiniTree tree;
  tree.images({"joy/1.jpg"});
  std::filesystem::create_directories(tree / "fear");
  EXPECT_EQ(passed_over(tree), (Names{"no image is in the folder 'fear', which is passed over"}));
}

TEST(Folder, IsQuietAboutFoldersThatAreNoClasses) {
  MiniTree tree;
  tree.images({"images/joy/1.jpg", "images/fear/1.jpg"}).file("annotations/1.txt", "x");
  std::filesystem::create_directory_symlink(tree.path(), tree / "images/joy/loop");
  EXPECT_EQ(passed_over(tree), Names{});
}

TEST(Folder, HasNoColumnsToName) {
  MiniTree tree;
  tree.images({"a/1.jpg", "b/1.jpg"});
  Silent log;
  EXPECT_EQ(
      error_of([&] { open_data_path(tree.path(), log, {.path = "x", .label = {}, .split = {}, .kind = {}}); }).kind(),
      ErrorKind::usage);
}

TEST(Folder, SaysWhatItWantsWhenThereIsNothing) {
  MiniTree tree;
  tree.file("empty/readme.txt", "x").file("notes.pdf", "x");
  EXPECT_EQ(error_of([&] { open_folder(tree / "empty"); }).kind(), ErrorKind::input);
  EXPECT_EQ(error_of([&] { open_folder(tree / "nowhere"); }).kind(), ErrorKind::missing);
  EXPECT_EQ(error_of([&] { open_folder(tree / "notes.pdf"); }).kind(), ErrorKind::usage);
}

}  // namespace
}  // namespace vise::datasets
