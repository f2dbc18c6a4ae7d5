#include "datasets/manifest.h"
#include "datasets/open_data.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "datasets/sampling.h"
#include "tests/unit/datasets/trees.h"

namespace vise::datasets {
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
  EXPECT_EQ(note_on_ties(dataset), "1 items whose votes tie have no label");
  EXPECT_TRUE(dataset.notes.empty()) << "the tie doesn't concern who predicts the votes";
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

TEST(Manifest, RefusesJsonInWhichAnImageHasTwoLabels) {
  MiniTree tree;
  tree.file("t.jsonl", "{\"path\": \"a.jpg\", \"label\": \"joy\", \"label\": \"fear\"}\n")
      .file("v.jsonl", "{\"path\": \"a.jpg\", \"votes:joy\": 1, \"votes\": {\"joy\": 2}}\n");
  EXPECT_NE(error_of([&] { open_table(tree, "t.jsonl"); }).message().find("line 1: has the key 'label' twice"),
            std::string::npos);
  EXPECT_NE(error_of([&] { open_table(tree, "v.jsonl"); }).message().find("line 1: has the column 'votes:joy' twice"),
            std::string::npos);
}

bool notes_mention(const Dataset& dataset, std::string_view part) {
  for (const std::string& note : dataset.notes)
    if (note.find(part) != std::string::npos) return true;
  return false;
}

TEST(Manifest, LeavesLabelsThatSayNothingUnknownAndCountsThem) {
  for (const char* word : {"NA", "N/A", "nan", "null", "None", "-", ""}) {
    MiniTree tree;
    tree.images({"1.jpg", "2.jpg", "3.jpg"})
        .file("t.csv", fmt::format("path,label,mood\n1.jpg,1,up\n2.jpg,{0},{0}\n3.jpg,2,up\n", word));
    const Dataset dataset = open_table(tree, "t.csv");
    EXPECT_EQ(test::class_names(dataset.target("label")), (Names{"1", "-", "2"})) << word;
    EXPECT_EQ(dataset.attribute("mood"), (Names{"up", "", "up"})) << word;
    EXPECT_TRUE(notes_mention(dataset, fmt::format("1 label ({})", *word ? word : "empty"))) << word;
  }
}

TEST(Manifest, LeavesVotesWithAMissingNumberUnknown) {
  MiniTree tree;
  tree.images({"1.jpg", "2.jpg", "3.jpg"})
      .file("v.csv", "path,votes:joy,votes:fear\n1.jpg,3,1\n2.jpg,2,NA\n3.jpg,,4\n");
  const Dataset dataset = open_table(tree, "v.csv");
  EXPECT_FALSE(dataset.target("votes").known(1));
  EXPECT_TRUE(dataset.target("votes").known(2));  // an empty cell is no vote
  EXPECT_EQ(test::class_names(dataset.target("label")), (Names{"joy", "-", "fear"}));
  EXPECT_TRUE(notes_mention(dataset, "1 votes (NA)"));
}

TEST(Manifest, LeavesListsThatSayNothingUnknown) {
  MiniTree tree;
  tree.images({"1.jpg", "2.jpg", "3.jpg"}).file("l.csv", "path,labels\n1.jpg,sky|dog\n2.jpg,NA\n3.jpg,\n");
  const Dataset dataset = open_table(tree, "l.csv");
  const auto bits = dataset.target("labels").multi_label();
  EXPECT_EQ(std::vector<int>(bits.begin(), bits.end()), (std::vector<int>{1, 1, -1, -1, 0, 0}));
}

TEST(Manifest, ReadsDecimalCommasBetweenSemicolons) {
  MiniTree tree;
  tree.images({"1.jpg", "2.jpg"})
      .file("t.csv",
            "path;label;arousal;mixed;votes:a;votes:b\n1.jpg;5,60;1.234,5;1,5;0,5;1\n2.jpg;3;-2;1.5;NA;0,25\n");
  const Dataset dataset = open_table(tree, "t.csv");
  ASSERT_EQ(dataset.target("label").kind(), TargetKind::values);
  EXPECT_EQ(dataset.target("label").rows()[0], 5.6);
  EXPECT_EQ(dataset.target("arousal").rows()[0], 1234.5);
  EXPECT_EQ(dataset.attribute("mixed"), (Names{"1,5", "1.5"}));  // two marks: not guessed
  EXPECT_EQ(dataset.target("votes").rows()[0], 0.5);
  tree.file("c.csv", "path,score\n1.jpg,\"5,60\"\n2.jpg,\"3,10\"\n");
  EXPECT_FALSE(open_table(tree, "c.csv").targets.contains("score"));  // may be a thousand elsewhere
}

TEST(Manifest, ReadsNamesOfColumnsWithoutCaseAndTakesOthersOnRequest) {
  MiniTree tree;
  tree.images({"1.jpg", "2.jpg"})
      .file("caps.csv", "Path,Label,SPLIT\n1.jpg,warm,Train_Set\n2.jpg,cold,test\n")
      .file("own.csv", "image_id,emotion,set,Label\n1.jpg,warm,train,x\n2.jpg,cold,test,y\n");
  const Dataset caps = open_table(tree, "caps.csv");
  EXPECT_EQ(test::class_names(caps.target("label")), (Names{"warm", "cold"}));
  EXPECT_EQ(caps.official->part(1), Part::test);
  Silent log;
  const Dataset own =
      open_data_path(tree / "own.csv", log, {.path = "image_id", .label = "emotion", .split = "set", .kind = {}});
  EXPECT_EQ(test::class_names(own.target("label")), (Names{"warm", "cold"}));
  EXPECT_EQ(own.official->origin(), "official (column 'set' of own.csv)");
  const Error absent = error_of(
      [&] { open_data_path(tree / "own.csv", log, {.path = "image_di", .label = {}, .split = {}, .kind = {}}); });
  EXPECT_NE(absent.message().find("has no column 'image_di'"), std::string::npos);
  EXPECT_NE(error_of([&] { open_table(tree, "own.csv"); }).hint().find("--path-column"), std::string::npos);
}

TEST(Manifest, SaysThatAColumnLooksLikeTheSplit) {
  MiniTree tree;
  tree.images({"1.jpg", "2.jpg"}).file("t.csv", "path,label,set\n1.jpg,a,train\n2.jpg,b,test\n");
  const Dataset dataset = open_table(tree, "t.csv");
  EXPECT_FALSE(dataset.official);
  EXPECT_TRUE(
      notes_mention(dataset, "column 'set' holds a split's names and is not used as the split: say --split-column"));
}

TEST(Manifest, SaysThatAColumnLooksLikeOnePartOfTheSplit) {
  MiniTree tree;
  tree.images({"1.jpg", "2.jpg"})
      .file("t.csv", "path,label,is_test\n1.jpg,a,0\n2.jpg,b,1\n")
      .file("u.csv", "path,label,Usage\n1.jpg,a,Training\n2.jpg,b,PrivateTest\n")
      .file("v.csv", "path,label,split,is_test\n1.jpg,a,train,0\n2.jpg,b,test,1\n")
      .file("w.csv", "path,label,tested\n1.jpg,a,0\n2.jpg,b,1\n");
  EXPECT_TRUE(notes_mention(open_table(tree, "t.csv"), "column 'is_test' seems to say which images are one part"));
  EXPECT_TRUE(notes_mention(open_table(tree, "u.csv"), "column 'Usage' holds a split's names"));
  EXPECT_TRUE(open_table(tree, "v.csv").notes.empty());
  EXPECT_TRUE(open_table(tree, "w.csv").notes.empty());
}

TEST(Manifest, RefusesColumnsThatDifferByCaseAlone) {
  MiniTree tree;
  tree.images({"1.jpg"}).file("t.csv", "path,Label,label\n1.jpg,calm,0\n");
  const Error error = error_of([&] { open_table(tree, "t.csv"); });
  EXPECT_NE(error.message().find("the columns 'Label' and 'label' differ by case alone"), std::string::npos);
  Silent log;
  const Dataset named = open_data_path(tree / "t.csv", log, {.path = {}, .label = "Label", .split = {}, .kind = {}});
  EXPECT_EQ(named.target("label").names(), Names{"calm"});
}

TEST(Manifest, PredictsTheColumnThatIsNamedBesideOneCalledLabel) {
  MiniTree tree;
  tree.images({"1.jpg", "2.jpg"})
      .file("n.csv", "path,label,mood\n1.jpg,0,calm\n2.jpg,1,tense\n")
      .file("t.csv", "path,label,a_mood\n1.jpg,x,calm\n2.jpg,x,tense\n");
  Silent log;
  for (const auto& [table, column] : {std::pair("n.csv", "mood"), std::pair("t.csv", "a_mood")}) {
    const Dataset dataset = open_data_path(tree / table, log, {.path = {}, .label = column, .split = {}, .kind = {}});
    EXPECT_EQ(dataset.target("label").names(), (Names{"calm", "tense"})) << table;
    EXPECT_TRUE(dataset.targets.contains("column:label") || dataset.attributes.contains("column:label"));
  }
}

TEST(Manifest, SaysWhatToDoWithWhatIsNoTable) {
  MiniTree tree;
  Silent log;
  for (const auto& [file, cure] : {std::pair("t.json", ".jsonl"), std::pair("t.xlsx", "save the sheet as CSV"),
                                   std::pair("t.txt", ".csv or .tsv"), std::pair("t.png", "the folder of images")}) {
    tree.file(file, "x");
    const Error error = error_of([&, table = tree / file] { open_data_path(table, log); });
    EXPECT_NE(error.hint().find(cure), std::string::npos) << error.hint();
  }
}

TEST(Manifest, SaysThatPathsLieInASplitThatNoColumnNames) {
  MiniTree tree;
  tree.images({"train/1.jpg", "val/1.jpg"})
      .file("t.csv", "path,label\ntrain/1.jpg,a\nval/1.jpg,b\n")
      .file("s.csv", "path,label,split\ntrain/1.jpg,a,train\nval/1.jpg,b,test\n");
  EXPECT_TRUE(notes_mention(open_table(tree, "t.csv"), "the images lie in train/, val/, but no column says the split"));
  EXPECT_TRUE(open_table(tree, "s.csv").notes.empty());
}

TEST(Manifest, RefusesAColumnThatIsThereTwice) {
  MiniTree tree;
  tree.images({"1.jpg"})
      .file("t.csv", "path,label,label\n1.jpg,a,b\n")
      .file("v.csv", "path,votes:a,votes:a\n1.jpg,1,2\n");
  EXPECT_NE(error_of([&] { open_table(tree, "t.csv"); }).message().find("'label' stands there twice"),
            std::string::npos);
  EXPECT_NE(error_of([&] { open_table(tree, "v.csv"); }).message().find("'votes:a' stands there twice"),
            std::string::npos);
}

TEST(Manifest, SuggestsThePathUnderWhichTheImageIsThere) {
  MiniTree tree;
  tree.images({"images/0000.jpg", "photos/b.png", "c.jpg"});
  const auto hint = [&](const char* path) {
    tree.file("t.csv", fmt::format("path,label\n{},x\n", path));
    return error_of([&] { open_table(tree, "t.csv"); }).hint();
  };
  EXPECT_EQ(hint("0000"), "images/0000.jpg is there: write that");
  EXPECT_EQ(hint("0000.jpg"), "it is in images/: write images/0000.jpg");
  EXPECT_EQ(hint("b.png"), "it is in photos/: write photos/b.png");
  EXPECT_EQ(hint("b"), "photos/b.png is there: write that");
  EXPECT_EQ(hint("data/set/c.jpg"), "c.jpg is there: write that");
  EXPECT_EQ(hint("nowhere.jpg"), "paths are relative to the table's folder");
}

TEST(Manifest, NamesABackslashAlsoWhereOnlySomePathsHaveOne) {
  MiniTree tree;
  tree.images({"warm/1.jpg", "warm/2.jpg"}).file("all.csv", "path,label\nwarm\\1.jpg,x\nwarm\\2.jpg,y\n");
  EXPECT_NE(error_of([&] { open_table(tree, "all.csv"); }).hint().find("not '\\'"), std::string::npos);
  tree.file("some.csv", "path,label\nwarm/1.jpg,x\nwarm\\2.jpg,y\n");
  const Error error = error_of([&] { open_table(tree, "some.csv"); });
  EXPECT_NE(error.message().find("the path 'warm\\2.jpg' has a backslash"), std::string::npos) << error.message();
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
}  // namespace vise::datasets
