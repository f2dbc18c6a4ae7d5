#include "datasets/manifest.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/datasets/trees.h"

namespace vise {
namespace {

using test::error_of;
using test::MiniTree;
using test::Names;

Dataset open_table(const MiniTree& tree, const std::string& name) {
  Silent log;
  return open_data_path(tree / name, log);
}

TEST(Manifest, ReadsPathLabelSplitGroupAndScore) {
  MiniTree tree;
  tree.images({"b.jpg", "a.jpg"})
      .file("t.csv", "path,label,split,group,score\nb.jpg,low,train,x,1.5\na.jpg,,test,y,\n");
  const Dataset dataset = open_table(tree, "t.csv");
  EXPECT_EQ(dataset.name, tree.path().filename().string() + "/t");
  EXPECT_EQ(dataset.ids, (Names{"b.jpg", "a.jpg"}));
  EXPECT_EQ(test::class_names(dataset.target("label")), (Names{"low", "-"}));
  EXPECT_EQ(dataset.official->part(1), Part::test);
  EXPECT_EQ(dataset.attribute("group"), (Names{"x", "y"}));
  EXPECT_EQ(dataset.target("score").kind(), TargetKind::values);
  EXPECT_TRUE(std::isnan(dataset.target("score").rows()[1]));
}

TEST(Manifest, ReadsTheSameFromTsvSemicolonsAndJsonLines) {
  MiniTree tree;
  tree.images({"a.jpg", "b.jpg"})
      .file("t.tsv", "image\tlabel\na.jpg\tjoy\nb.jpg\tfear\n")
      .file("s.csv", "image;label\r\na.jpg;joy\r\nb.jpg;fear\r\n")
      .file("t.jsonl", "{\"image\": \"a.jpg\", \"label\": \"joy\"}\n\n{\"label\": \"fear\", \"image\": \"./b.jpg\"}\n");
  for (const char* name : {"t.tsv", "s.csv", "t.jsonl"}) {
    const Dataset dataset = open_table(tree, name);
    EXPECT_EQ(dataset.ids, (Names{"a.jpg", "b.jpg"})) << name;
    EXPECT_EQ(test::class_names(dataset.target("label")), (Names{"joy", "fear"})) << name;
  }
}

TEST(Manifest, MakesVotesADistributionAndTheirWinnerTheLabel) {
  MiniTree tree;
  tree.images({"1.jpg", "2.jpg", "3.jpg"})
      .file("v.csv", "file_name,votes:joy,votes:fear\n1.jpg,3,1\n2.jpg,2,2\n3.jpg,,5\n");
  const Dataset dataset = open_table(tree, "v.csv");
  const Targets& votes = dataset.target("votes");
  EXPECT_EQ(votes.kind(), TargetKind::distribution);
  EXPECT_EQ(votes.names(), (Names{"fear", "joy"}));
  EXPECT_EQ(std::vector<double>(votes.rows().begin(), votes.rows().end()), (std::vector<double>{1, 3, 2, 2, 5, 0}));
  EXPECT_EQ(test::class_names(dataset.target("label")), (Names{"joy", "-", "fear"}));
  EXPECT_EQ(dataset.notes.size(), 1u);
}

TEST(Manifest, ReadsVotesAndLabelListsOfJsonLines) {
  MiniTree tree;
  tree.images({"1.jpg", "2.jpg"})
      .file("v.jsonl",
            "{\"path\": \"1.jpg\", \"votes\": {\"joy\": 2}, \"labels\": [\"sky\", \"dog\"]}\n"
            "{\"path\": \"2.jpg\", \"votes\": {\"fear\": 1, \"joy\": 0}, \"labels\": []}\n");
  const Dataset dataset = open_table(tree, "v.jsonl");
  EXPECT_EQ(std::vector<double>(dataset.target("votes").rows().begin(), dataset.target("votes").rows().end()),
            (std::vector<double>{0, 2, 1, 0}));
  EXPECT_EQ(dataset.target("labels").names(), (Names{"dog", "sky"}));
  const auto bits = dataset.target("labels").multi_label();
  EXPECT_EQ(std::vector<int>(bits.begin(), bits.end()), (std::vector<int>{1, 1, 0, 0}));
}

TEST(Manifest, KeepsUnknownBitsOfMultiLabelColumns) {
  MiniTree tree;
  tree.images({"1.jpg"}).file("m.csv", "path,labels:sky,labels:dog,labels:cat\n1.jpg,1,,0\n");
  const Dataset dataset = open_table(tree, "m.csv");
  EXPECT_EQ(dataset.target("labels").names(), (Names{"cat", "dog", "sky"}));
  const auto bits = dataset.target("labels").multi_label();
  EXPECT_EQ(std::vector<int>(bits.begin(), bits.end()), (std::vector<int>{0, -1, 1}));
}

TEST(Manifest, MakesATextColumnATargetWhereTextsRepeat) {
  MiniTree tree;
  tree.images({"1.jpg", "2.jpg", "3.jpg", "4.jpg"})
      .file("t.csv", "path,mood,caption\n1.jpg,up,a\n2.jpg,down,b\n3.jpg,up,c\n4.jpg,up,d\n");
  const Dataset dataset = open_table(tree, "t.csv");
  EXPECT_EQ(test::class_names(dataset.target("mood")), (Names{"up", "down", "up", "up"}));
  EXPECT_FALSE(dataset.targets.contains("caption"));
  EXPECT_EQ(dataset.attribute("caption")[2], "c");
}

TEST(Manifest, TakesALabelWithFractionsForAValue) {
  MiniTree tree;
  tree.images({"1.jpg", "2.jpg"}).file("t.csv", "path,label\n1.jpg,2.5\n2.jpg,3\n");
  EXPECT_EQ(open_table(tree, "t.csv").target("label").kind(), TargetKind::values);
  tree.file("c.csv", "path,label\n1.jpg,2\n2.jpg,3\n");
  EXPECT_EQ(open_table(tree, "c.csv").target("label").kind(), TargetKind::classes);
}

TEST(Manifest, NamesBothRowsOfARepeatedPath) {
  MiniTree tree;
  tree.images({"a.jpg"}).file("t.csv", "path,label\na.jpg,x\nb.jpg,y\n./a.jpg,x\n");
  const Error error = error_of([&] { open_table(tree, "t.csv"); });
  EXPECT_EQ(error.kind(), ErrorKind::input);
  EXPECT_NE(error.message().find("t.csv: line 4: 'a.jpg' is also in"), std::string::npos) << error.message();
  EXPECT_NE(error.message().find("t.csv: line 2"), std::string::npos) << error.message();
}

TEST(Manifest, NamesTheRowOfABadCell) {
  MiniTree tree;
  tree.images({"a.jpg"});
  const auto message = [&](const char* text) {
    tree.file("t.csv", text);
    return error_of([&] { open_table(tree, "t.csv"); }).message();
  };
  EXPECT_NE(message("path,split\na.jpg,train\nb.jpg,fold1\n").find("line 3: 'fold1'"), std::string::npos);
  EXPECT_NE(message("path,label\na.jpg,x\n,y\n").find("line 3: no path in column 'path'"), std::string::npos);
  EXPECT_NE(message("path,label\na.jpg,x,y\n").find("line 2: 3 cells, but the header has 2"), std::string::npos);
  EXPECT_NE(message("path,votes:a\na.jpg,-2\n").find("line 2: '-2' in column votes:a"), std::string::npos);
  EXPECT_NE(message("name,label\na.jpg,x\n").find("no column names the image; it has label, name"), std::string::npos);
}

TEST(Manifest, SaysWhereTheImagesAreWhenNoneIsFound) {
  MiniTree tree;
  tree.images({"images/a.jpg"}).file("t.csv", "path,label\na.jpg,x\n");
  const Error error = error_of([&] { open_table(tree, "t.csv"); });
  EXPECT_EQ(error.kind(), ErrorKind::missing);
  EXPECT_EQ(error.hint(), "it is in images/: write images/a.jpg");
}

TEST(Manifest, RefusesJsonThatIsNoObject) {
  MiniTree tree;
  tree.file("t.jsonl", "{\"path\": \"a.jpg\"}\n[1]\n");
  EXPECT_NE(error_of([&] { open_table(tree, "t.jsonl"); }).message().find("line 2: isn't a JSON object"),
            std::string::npos);
}

TEST(Manifest, ReadsSharedRatings) {
  VISE_NEEDS_SHARED();
  Silent log;
  const Dataset dataset = open_data_path(test::shared_dir() / "data/datasets/omi300/happy.csv", log);
  EXPECT_EQ(dataset.name, "omi300/happy");
  EXPECT_EQ(dataset.size(), 300u);
  EXPECT_EQ(dataset.official->count(Part::train), 180u);
  EXPECT_EQ(dataset.target("label").names(), (Names{"high", "low"}));
  EXPECT_DOUBLE_EQ(dataset.target("score").rows()[0], 18.97058824);
}

}  // namespace
}  // namespace vise
