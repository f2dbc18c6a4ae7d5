// Adapters, each on its tree in miniature, with the defects that the real one has; from FI on:
// adapters_from_fi_test.cc.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "datasets/adapters/adapters.h"
#include "datasets/dataset_registry.h"
#include "tests/unit/datasets/trees.h"

namespace vise::datasets {
namespace {

using test::class_names;
using test::error_of;
using test::mentions;
using test::MiniTree;
using test::Names;
using test::open_builtin;
using test::rows_of;

// A folder of the right name that holds something else: the error shows the tree.
class WrongRoot : public testing::TestWithParam<std::string> {};

TEST_P(WrongRoot, ShowsTheExpectedTree) {
  DatasetRegistry registry;
  register_builtin_datasets(registry);
  const DatasetInfo& info = registry.info(GetParam());
  EXPECT_FALSE(info.title.empty() || info.tree.empty() || info.page.empty() || info.licence.empty());
  MiniTree tree;
  tree.file(info.folders.front() + "/something/else.txt", "x");
  const Error error = error_of([&] { open_builtin(info.name, tree.path()); });
  if (info.name == "webemo") return;  // any class folder is one
  EXPECT_EQ(error.kind(), ErrorKind::missing) << error.message();
  EXPECT_NE(error.hint().find(info.tree), std::string::npos) << error.message() << error.hint();
}

INSTANTIATE_TEST_SUITE_P(Adapters, WrongRoot,
                         testing::Values("abstract", "artphoto", "ava", "bass", "cub", "emoset", "emotic", "emotion",
                                         "emotion6", "emotion-6-panda", "fer2013", "fi", "hateful-memes", "intent",
                                         "koniq", "lamem", "memotion", "oasis", "omi", "politics", "twitter-i",
                                         "webemo"));

TEST(Abstract, ReadsSingleQuotesAndLeavesTiesWithoutALabel) {
  MiniTree tree;
  tree.images({"testImages_abstract/abstract_0001.jpg", "testImages_abstract/abstract_0002.jpg"})
      .file("testImages_abstract/ABSTRACT_groundTruth.csv",
            "'','Amusement','Anger','Awe','Content','Disgust','Excitement','Fear','Sad'\n"
            "'abstract_0001.jpg',0,1,0,5,0,2,1,0\n'abstract_0002.jpg',4,0,4,0,0,0,0,1\n");
  const Dataset dataset = open_builtin("abstract", tree.path());
  EXPECT_EQ(dataset.ids, (Names{"abstract_0001.jpg", "abstract_0002.jpg"}));
  EXPECT_EQ(class_names(dataset.target("label")), (Names{"contentment", "-"}));
  EXPECT_EQ(dataset.target("votes").names().back(), "sadness");
  EXPECT_TRUE(mentions(dataset.notes, "2 rows, where 280 are known"));
}

TEST(Abstract, TakesItsColumnsByNameInAnyOrder) {
  MiniTree tree;
  tree.images({"testImages_abstract/a1.jpg", "testImages_abstract/a2.jpg"})
      .file("testImages_abstract/ABSTRACT_groundTruth.csv",
            "Number,Sad,Image,Anger,Sum\n1,3,'a1.jpg',1,4\n2,0,'a2.jpg',5,5\n");
  const Dataset dataset = open_builtin("abstract", tree.path());
  EXPECT_EQ(dataset.target("votes").names(), (Names{"sadness", "anger"}));
  EXPECT_EQ(rows_of(dataset, "votes"), (std::vector<double>{3, 1, 0, 5}));
}

TEST(ArtPhoto, TakesTheClassFromTheFileNameAndSadForSadness) {
  MiniTree tree;
  tree.images({"ArtPhoto/testImages_artphoto/sad_0001.jpg", "ArtPhoto/testImages_artphoto/awe_0550.jpg"});
  const Dataset dataset = open_builtin("artphoto", tree.path());
  EXPECT_EQ(class_names(dataset.target("label")), (Names{"awe", "sadness"}));
}

TEST(Ava, DropsImagesThatAreNotThereAndAveragesVotes) {
  MiniTree tree;
  tree.images({"AVA/images/953619.jpg"})
      .file("AVA/AVA.txt",
            "1 953619 0 1 5 17 38 36 15 6 5 1 1 22 1396\n2 953958 10 7 15 26 26 21 10 8 1 2 15 21 1396\n");
  RecordingLog log;
  const Dataset dataset = open_builtin("ava", tree.path(), log);
  EXPECT_EQ(dataset.size(), 1u);
  EXPECT_NEAR(rows_of(dataset, "score")[0], 5.637097, 1e-6);  // 699 / 124
  EXPECT_EQ(class_names(dataset.target("label")), (Names{"high"}));
  EXPECT_TRUE(
      mentions(log.warnings(), "1 of 2 listed images are not there and left out, for example images/953958.jpg"));
}

TEST(Cub, ReadsItsFourFiles) {
  MiniTree tree;
  tree.images({"CUB_200_2011/images/001.A/x.jpg", "CUB_200_2011/images/002.B/y.jpg"})
      .file("CUB_200_2011/images.txt", "1 001.A/x.jpg\n2 002.B/y.jpg\n")
      .file("CUB_200_2011/image_class_labels.txt", "1 1\n2 2\n")
      .file("CUB_200_2011/train_test_split.txt", "1 0\n2 1\n")
      .file("CUB_200_2011/classes.txt", "1 001.A\n2 002.B\n");
  const Dataset dataset = open_builtin("cub", tree.path());
  EXPECT_EQ(class_names(dataset.target("label")), (Names{"001.A", "002.B"}));
  EXPECT_EQ(dataset.official->part(0), Part::test);
  EXPECT_EQ(dataset.official->part(1), Part::train);
  tree.file("CUB_200_2011/train_test_split.txt", "1 0\n");
  EXPECT_EQ(error_of([&] { open_builtin("cub", tree.path()); }).message(),
            "train_test_split.txt: has no line for image 2");
}

TEST(EmoSet, ReadsBothReleasesInItsOwnOrderOfClasses) {
  MiniTree tree;
  tree.images({"EmoSet-118K/image/awe/1.jpg", "EmoSet-118K/image/anger/2.jpg", "EmoSet-118K/image/sadness/3.jpg"})
      .file("EmoSet-118K/train.json", R"([["awe", "image/awe/1.jpg", "annotation/awe/1.json"]])")
      .file("EmoSet-118K/val.json", R"([["anger", "anger_2", "image/anger/2.jpg", "annotation/anger/2.json"]])")
      .file("EmoSet-118K/test.json", R"([["sadness", 3, "image/sadness/3.jpg", "annotation/sadness/3.json"]])");
  const Dataset dataset = open_builtin("emoset", tree.path());
  EXPECT_EQ(std::vector<int>(dataset.target("label").classes().begin(), dataset.target("label").classes().end()),
            (std::vector<int>{1, 4, 7}));
  EXPECT_EQ(class_names(dataset.target("polarity")), (Names{"positive", "negative", "negative"}));
  EXPECT_EQ(dataset.official->part(1), Part::val);
  tree.file("EmoSet-118K/val.json", R"([{"emotion": "awe"}])");
  EXPECT_NE(error_of([&] { open_builtin("emoset", tree.path()); }).message().find("val.json: entry 1"),
            std::string::npos);
}

TEST(EmoSet, ReadsAttributesWhereTheirFilesAre) {
  MiniTree tree;
  tree.images({"EmoSet-118K/image/awe/1.jpg", "EmoSet-118K/image/anger/2.jpg", "EmoSet-118K/image/sadness/3.jpg"})
      .file("EmoSet-118K/train.json", R"([["awe", "image/awe/1.jpg", "annotation/awe/1.json"]])")
      .file("EmoSet-118K/val.json", R"([["anger", "image/anger/2.jpg", "annotation/anger/2.json"]])")
      .file("EmoSet-118K/test.json", R"([["sadness", "image/sadness/3.jpg", "annotation/sadness/3.json"]])")
      .file("EmoSet-118K/annotation/awe/1.json",
            R"({"image_id": "awe_1", "emotion": "awe", "brightness": "0.1", "colorfulness": 0.3,
                "scene": "beach", "object": ["Sky", "Tree"]})")
      .file("EmoSet-118K/annotation/anger/2.json",
            R"({"emotion": "anger", "human_action": "boxing", "object": ["Tree"]})")
      .file("EmoSet-118K/annotation/sadness/3.json", R"({"emotion": "sadness", "brightness": "0.9"})");
  const Dataset dataset = open_builtin("emoset", tree.path());
  EXPECT_EQ(rows_of(dataset, "brightness")[0], 0.1);
  EXPECT_FALSE(dataset.target("brightness").known(1));  // a missing key is no label
  EXPECT_EQ(rows_of(dataset, "colorfulness")[0], 0.3);
  EXPECT_EQ(class_names(dataset.target("scene")), (Names{"beach", "-", "-"}));
  EXPECT_EQ(class_names(dataset.target("human_action")), (Names{"-", "boxing", "-"}));
  EXPECT_EQ(dataset.target("object").names(), (Names{"Sky", "Tree"}));
  const auto bits = dataset.target("object").multi_label();
  EXPECT_EQ(std::vector<int>(bits.begin(), bits.end()), (std::vector<int>{1, 1, 0, 1, -1, -1}));
  tree.file("EmoSet-118K/annotation/awe/1.json", R"({"scene": ["beach"]})");
  EXPECT_NE(error_of([&] { open_builtin("emoset", tree.path()); }).message().find("'scene' is neither"),
            std::string::npos);
  tree.file("EmoSet-118K/annotation/awe/1.json", R"({"brightness": "0,4"})");
  EXPECT_NE(
      error_of([&] { open_builtin("emoset", tree.path()); }).message().find("'brightness' is '0,4', not a number"),
      std::string::npos);
}

TEST(EmoSet, HasNoTargetForWhatNoAnnotationNames) {
  for (const char* annotation :
       {R"({"emotion": "awe", "brightness": 0.4})", R"({"object": []})", R"({"object": null})"}) {
    MiniTree tree;
    tree.images({"EmoSet-118K/image/awe/1.jpg"})
        .file("EmoSet-118K/train.json", R"([["awe", "image/awe/1.jpg", "annotation/awe/1.json"]])")
        .file("EmoSet-118K/val.json", "[]")
        .file("EmoSet-118K/test.json", "[]")
        .file("EmoSet-118K/annotation/awe/1.json", annotation);
    const Dataset dataset = open_builtin("emoset", tree.path());
    EXPECT_FALSE(dataset.targets.contains("object")) << annotation;
    EXPECT_EQ(class_names(dataset.target("label")), (Names{"awe"}));
  }
}

TEST(EmoSet, LeavesThePolarityOfAnEmptyEmotionUnknown) {
  MiniTree tree;
  tree.images({"EmoSet-118K/image/1.jpg", "EmoSet-118K/image/2.jpg"})
      .file("EmoSet-118K/train.json", R"([["", "image/1.jpg", "a.json"], ["fear", "image/2.jpg", "b.json"]])")
      .file("EmoSet-118K/val.json", "[]")
      .file("EmoSet-118K/test.json", "[]");
  EXPECT_EQ(class_names(open_builtin("emoset", tree.path()).target("polarity")), (Names{"-", "negative"}));
}

TEST(Emotion6, TakesTheLabelFromTheVotesNotFromTheFolder) {
  MiniTree tree;
  tree.images({"Emotion6/images/disgust/1.jpg"})
      .file("Emotion6/ground_truth.txt",
            "[image_filename]\t[valence]\t[arousal]\t[prob. anger]\t[prob. disgust]\t[prob. fear]\t[prob. joy]\t[prob. "
            "sadness]\t[prob. surprise]\t[prob. neutral]\ndisgust/1.jpg\t4.25\t5.5\t0.1\t0.2\t0\t0\t0\t0.1\t0.6\n");
  const Dataset dataset = open_builtin("emotion6", tree.path());
  EXPECT_EQ(class_names(dataset.target("label")), (Names{"neutral"}));
  EXPECT_EQ(dataset.attribute("keyword"), (Names{"disgust"}));
  EXPECT_EQ(rows_of(dataset, "valence"), (std::vector<double>{4.25}));
}

TEST(Emotion6Panda, TakesTheFirstFolderForTheLabel) {
  MiniTree tree;
  tree.images({"Emotion-6/images/love/wedding/beach/1.jpg", "Emotion-6/images/joy/party/home/1.jpg"});
  EXPECT_EQ(class_names(open_builtin("emotion-6-panda", tree.path()).target("label")), (Names{"joy", "love"}));
}

TEST(Fer2013, UnpacksFacesOnceAndKeepsTheCsvsCodes) {
  MiniTree tree;
  std::string face = "0";
  for (int i = 1; i < 48 * 48; ++i) face += " 255";
  tree.file("fer2013/fer2013.csv", "emotion,pixels,Usage\n4," + face + ",Training\n6," + face + ",PrivateTest\n")
      .file("fer2013/fer2013new.csv",
            "Usage,Image name,neutral,happiness,NF\nTraining,fer0.png,1,9,0\nPrivateTest,,10,0,0\n");
  const Dataset dataset = open_builtin("fer2013", tree.path());
  EXPECT_EQ(class_names(dataset.target("label")), (Names{"sad", "neutral"}));
  EXPECT_EQ(dataset.official->part(1), Part::test);
  EXPECT_EQ(dataset.target("votes").names(), (Names{"neutral", "happiness"}));
  EXPECT_EQ(rows_of(dataset, "votes"), (std::vector<double>{1, 9, 0, 0}));  // the second row is no face
  EXPECT_TRUE(read_text_file(dataset.path(1)).starts_with("\x89PNG"));
  EXPECT_EQ(open_builtin("fer2013", tree.path()).root, dataset.root);
  tree.file("fer2013/fer2013.csv", "emotion,pixels,Usage\n4,1 2 3,Training\n");
  EXPECT_NE(error_of([&] { open_builtin("fer2013", tree.path()); }).message().find("line 2: 3 pixels instead of 2304"),
            std::string::npos);
}

std::string face() {
  std::string pixels = "0";
  for (int i = 1; i < 48 * 48; ++i) pixels += " 255";
  return pixels;
}

TEST(Fer2013, ReadsItsOtherTablesByTheNamesOfTheirColumns) {
  for (const char* name : {"fer2013.csv", "icml_face_data.csv"}) {
    MiniTree tree;
    tree.file(fmt::format("fer2013/{}", name),
              "emotion, Usage, pixels\n4, Training," + face() + "\n6,PrivateTest, " + face() + "\n");
    const Dataset dataset = open_builtin("fer2013", tree.path());
    EXPECT_EQ(class_names(dataset.target("label")), (Names{"sad", "neutral"})) << name;
    EXPECT_EQ(dataset.official->part(1), Part::test);
  }
  MiniTree tree;
  tree.file("fer2013/fer2013.csv", "pixels,Usage\n" + face() + ",Training\n");
  EXPECT_NE(error_of([&] { open_builtin("fer2013", tree.path()); }).message().find("has no column 'emotion'"),
            std::string::npos);
  tree.file("fer2013/fer2013.csv", "emotion,emotion,pixels,Usage\n1,2," + face() + ",Training\n");
  EXPECT_NE(error_of([&] { open_builtin("fer2013", tree.path()); }).message().find("'emotion' stands there twice"),
            std::string::npos);
}

TEST(Fer2013, ReadsTheChallengesTablesWithoutASplit) {
  MiniTree tree;
  tree.file("fer2013/train.csv", "pixels,emotion\n" + face() + ",4\n" + face() + ",6\n")
      .file("fer2013/test.csv", "pixels\n" + face() + "\n");
  const Dataset dataset = open_builtin("fer2013", tree.path());
  EXPECT_EQ(class_names(dataset.target("label")), (Names{"sad", "neutral", "-"}));
  EXPECT_FALSE(dataset.official);
  EXPECT_TRUE(mentions(dataset.notes, "train.csv alone has emotions: the split is drawn from its 2 images"));
}

TEST(Fer2013, TakesEmotionsOfFerPlusByNameAndLeavesOutItsOtherColumns) {
  MiniTree tree;
  tree.file("fer2013/fer2013.csv", "emotion,pixels,Usage\n4," + face() + ",Training\n6," + face() + ",Training\n")
      .file("fer2013/fer2013new.csv",
            "Usage,NF,Image name,fear,unknown,neutral\nTraining,0,fer0.png,3,5,2\nTraining,10,,0,0,0\n");
  RecordingLog log;
  const Dataset dataset = open_builtin("fer2013", tree.path(), log);
  EXPECT_EQ(dataset.target("votes").names(), (Names{"fear", "neutral"}));
  EXPECT_EQ(rows_of(dataset, "votes"), (std::vector<double>{3, 2, 0, 0}));
  EXPECT_TRUE(mentions(log.warnings(), "1 images are no face by FER+ and have no votes"));
}

TEST(Fer2013, ReadsTheFolderReleaseByName) {
  MiniTree tree;
  tree.images({"fer2013/train/neutral/1.jpg", "fer2013/train/sad/1.jpg", "fer2013/test/surprise/1.jpg"});
  const Dataset dataset = open_builtin("fer2013", tree.path());
  const auto classes = dataset.target("label").classes();
  EXPECT_EQ(std::vector<int>(classes.begin(), classes.end()), (std::vector<int>{5, 6, 4}));
}

}  // namespace
}  // namespace vise::datasets
