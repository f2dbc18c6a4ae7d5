#include <gtest/gtest.h>

#include "tests/unit/datasets/trees.h"

namespace vise {
namespace {

using test::error_of;
using test::MiniTree;
using test::Names;
using test::open_builtin;

TEST(Registry, SuggestsTheNearestDataSet) {
  const Error error = error_of([] { open_builtin("emotoin", "."); });
  EXPECT_EQ(error.kind(), ErrorKind::usage);
  EXPECT_NE(error.hint().find("'emotion'"), std::string::npos);
}

TEST(Registry, SaysPageLicenceAndTreeOfMissingData) {
  MiniTree tree;
  const Error error = error_of([&] { open_builtin("emotion", tree.path()); });
  EXPECT_EQ(error.kind(), ErrorKind::missing);
  EXPECT_NE(error.message().find(tree.path().string()), std::string::npos);
  EXPECT_NE(error.hint().find("rpand002.github.io"), std::string::npos);
  EXPECT_NE(error.hint().find("images/<emotion>/<object>"), std::string::npos);
}

TEST(Registry, FindsTheFolderBelowARootOrAsOne) {
  MiniTree tree;
  tree.images({"UnbaisedEmo/images/joy/cat/1.jpg"});
  EXPECT_EQ(open_builtin("emotion", tree.path()).size(), 1u);
  EXPECT_EQ(open_builtin("emotion", tree / "UnbaisedEmo").size(), 1u);
  EXPECT_EQ(open_builtin("emotion", tree / "UnbaisedEmo/").size(), 1u);
}

TEST(Dataset, ErrorsNameTheNearestTargetAndEqualIds) {
  Dataset dataset;
  dataset.name = "mine";
  dataset.ids = {"a", "b", "a"};
  dataset.targets.emplace("label", Targets::from_labels(Names{"x", "y", "x"}));
  EXPECT_NE(error_of([&] { dataset.target("lable"); }).hint().find("'label'"), std::string::npos);
  EXPECT_EQ(error_of([&] { dataset.check(); }).message(), "data set 'mine': items 1 and 3 are both 'a'");
}

TEST(Emotion, ReadsItsTreeWithRecurringFileNames) {
  MiniTree tree;
  tree.images({"UnBiasedEmotion/images/joy/cat/1.jpg", "UnBiasedEmotion/images/Fear/dog/1.JPG",
               "UnBiasedEmotion/images/fear/cat/1.jpg", "UnBiasedEmotion/__MACOSX/images/joy/cat/._1.jpg"});
  const Dataset dataset = open_builtin("emotion", tree.path());
  EXPECT_EQ(dataset.ids, (Names{"images/Fear/dog/1.JPG", "images/fear/cat/1.jpg", "images/joy/cat/1.jpg"}));
  EXPECT_EQ(dataset.target("label").names(), (Names{"anger", "fear", "joy", "love", "sadness", "surprise"}));
  EXPECT_EQ(test::class_names(dataset.target("label")), (Names{"fear", "fear", "joy"}));
  EXPECT_EQ(dataset.attribute("object"), (Names{"dog", "cat", "cat"}));
  EXPECT_FALSE(dataset.official);
}

TEST(Emotion, ShowsTheExpectedTreeForAnother) {
  MiniTree tree;
  tree.images({"UnBiasedEmotion/joy/1.jpg"});
  EXPECT_NE(error_of([&] { open_builtin("emotion", tree.path()); }).hint().find("images/<emotion>/<object>"),
            std::string::npos);
}

TEST(Emotion, RefusesAFolderThatIsNoEmotion) {
  MiniTree tree;
  tree.images({"UnBiasedEmotion/images/suprise/cat/1.jpg"});
  EXPECT_NE(error_of([&] { open_builtin("emotion", tree.path()); }).hint().find("'surprise'"), std::string::npos);
}

TEST(Politics, ReadsItsTable) {
  MiniTree tree;
  tree.images({"politics/a.jpg"})
      .file("politics/politics.csv", "path,label,split,group\na.jpg,LEFT,train,cnn\nb.jpg,right,test,fox\n");
  const Dataset dataset = open_builtin("politics", tree.path());
  EXPECT_EQ(dataset.name, "politics");
  EXPECT_EQ(test::class_names(dataset.target("label")), (Names{"left", "right"}));
  EXPECT_EQ(dataset.attribute("group"), (Names{"cnn", "fox"}));
  EXPECT_EQ(dataset.official->count(Part::test), 1u);
}

TEST(Politics, ReadsItsTreeWithoutATable) {
  MiniTree tree;
  tree.images({"politics/imgs/LEFT/abortion/cnn/1.jpg", "politics/imgs/RIGHT/guns/fox/sub/1.jpg"});
  const Dataset dataset = open_builtin("politics", tree.path());
  EXPECT_EQ(test::class_names(dataset.target("label")), (Names{"left", "right"}));
  EXPECT_EQ(dataset.attribute("topic"), (Names{"abortion", "guns"}));
  EXPECT_EQ(dataset.attribute("group"), (Names{"cnn", "fox"}));
}

TEST(Politics, RefusesOtherSides) {
  MiniTree tree;
  tree.images({"politics/a.jpg"}).file("politics/politics.csv", "path,label\na.jpg,centre\n");
  EXPECT_EQ(error_of([&] { open_builtin("politics", tree.path()); }).hint(), "a label is left or right");
}

}  // namespace
}  // namespace vise
