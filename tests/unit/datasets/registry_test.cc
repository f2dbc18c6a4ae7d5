#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/unit/datasets/trees.h"

namespace vise::datasets {
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

// The dict of two lists that the authors' scripts load, in pickle's text protocol.
std::string split_pickle(const Names& train, const Names& test, const std::string& keys = "_imgs") {
  std::string text = "(dp0\n";
  for (const auto& [name, paths] : {std::pair("train", train), std::pair("test", test)}) {
    text += std::string("V") + name + keys + "\n(l";
    for (const std::string& path : paths) text += fmt::format("V{}\na", path);
    text += "s";
  }
  return text + ".";
}

TEST(Politics, TakesTheOfficialSplitFromThePickle) {
  MiniTree tree;
  tree.images({"politics/imgs/LEFT/guns/cnn/1.jpg", "politics/imgs/LEFT/guns/cnn/2.jpg",
               "politics/imgs/RIGHT/guns/fox/1.jpg", "politics/imgs/RIGHT/guns/fox/9.jpg"});
  // Relative, with the authors' folders in front, and not there.
  const Names train{"imgs/left/guns/cnn/1.jpg", "/own_files/politics/imgs/right/guns/fox/1.jpg"};
  const Names test{"left/guns/cnn/2.jpg", "imgs/left/guns/cnn/gone.jpg"};
  for (const std::string keys : {"_imgs", ""}) {
    tree.file("politics/train_test_paths.pickle", split_pickle(train, test, keys));
    RecordingLog log;
    const Dataset dataset = open_builtin("politics", tree.path(), log);
    EXPECT_EQ(dataset.official->parts(), (std::vector<Part>{Part::train, Part::test, Part::train, Part::unused}));
    ASSERT_EQ(dataset.notes.size(), 2u);
    EXPECT_EQ(dataset.notes[0],
              "1 paths of the official split are not there and left out, for example imgs/left/guns/cnn/gone.jpg");
    EXPECT_EQ(dataset.notes[1], "the official split has 1 of 2 media sources in both train and test");
  }
}

TEST(Politics, ExecutesNothingOfAPickle) {
  MiniTree tree;
  tree.images({"politics/imgs/LEFT/guns/cnn/1.jpg"});
  const auto why_not = [&](const std::string& pickle) {
    tree.file("politics/train_test_paths.pickle", pickle);
    return error_of([&] { open_builtin("politics", tree.path()); }).message();
  };
  EXPECT_NE(why_not("cos\nsystem\n(S'true'\ntR.").find("it wants the global os.system"), std::string::npos);
  EXPECT_NE(why_not("(l.").find("is a list, not a dict"), std::string::npos);
  EXPECT_NE(why_not("(dp0\n.").find("has no list 'train_imgs' or 'train'"), std::string::npos);
  EXPECT_NE(why_not(split_pickle({"left/a/b/c.jpg"}, {})).find("none of its paths is an image here"),
            std::string::npos);
  EXPECT_NE(why_not(split_pickle({"left/guns/cnn/1.jpg"}, {"LEFT/guns/cnn/1.jpg"})).find("is in train and in test"),
            std::string::npos);
}

TEST(Politics, RefusesOtherSides) {
  MiniTree tree;
  tree.images({"politics/a.jpg"}).file("politics/politics.csv", "path,label\na.jpg,centre\n");
  EXPECT_EQ(error_of([&] { open_builtin("politics", tree.path()); }).hint(), "a label is left or right");
}

}  // namespace
}  // namespace vise::datasets
