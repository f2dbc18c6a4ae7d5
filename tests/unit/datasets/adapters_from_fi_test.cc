// The adapters from FI on, each on its tree in miniature, with the defects that the real one has.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "datasets/adapters/adapters.h"
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

TEST(Fi, LeavesPlaceholdersOut) {
  MiniTree tree;
  tree.images({"FI/emotion_dataset/awe/1.jpg", "FI/emotion_dataset/fear/1.jpg"});
  for (int i = 0; i < 12; ++i)
    tree.file(fmt::format("FI/emotion_dataset/awe/gone{}.jpg", i), "this photo is unavailable");
  RecordingLog log;
  const Dataset dataset = open_builtin("fi", tree.path(), log);
  EXPECT_EQ(dataset.size(), 2u);
  EXPECT_TRUE(mentions(log.warnings(), "12 placeholder images left out"));
  EXPECT_EQ(open_builtin("fi", tree / "FI/emotion_dataset").size(), 2u);
}

TEST(HatefulMemes, JoinsOverlappingFilesAndTakesTheTestThatHasLabels) {
  MiniTree tree;
  tree.images({"hateful_memes/img/01348.png", "hateful_memes/img/00002.png", "hateful_memes/img/00003.png",
               "hateful_memes/img/00004.png", "hateful_memes/img/00005.png"})
      .file("hateful_memes/train.jsonl", R"({"id": 1348, "label": 1, "text": "a, \"b\""})")
      .file("hateful_memes/dev_seen.jsonl", R"({"id": 2, "img": "img/00002.png", "label": 0, "text": "x"})")
      .file("hateful_memes/dev_unseen.jsonl",
            "{\"id\": 2, \"img\": \"img/00002.png\", \"label\": 1}\n"
            "{\"id\": 3, \"img\": \"img/00003.png\", \"label\": 1}\n")
      .file("hateful_memes/test_seen.jsonl", R"({"id": 4, "img": "img/00004.png", "label": 1})")
      .file("hateful_memes/test_unseen.jsonl", R"({"id": 5, "img": "img/00005.png", "text": "no label"})");
  RecordingLog log;
  const Dataset dataset = open_builtin("hateful-memes", tree.path(), log);
  EXPECT_EQ(dataset.ids, (Names{"img/01348.png", "img/00002.png", "img/00003.png", "img/00004.png", "img/00005.png"}));
  EXPECT_EQ(dataset.target("label").names(), (Names{"not-hateful", "hateful"}));
  EXPECT_EQ(class_names(dataset.target("label")), (Names{"hateful", "hateful", "hateful", "hateful", "-"}));
  EXPECT_EQ(dataset.attribute("subset")[1], "dev_seen|dev_unseen");
  EXPECT_EQ(dataset.official->parts(),
            (std::vector<Part>{Part::train, Part::val, Part::unused, Part::test, Part::unused}));
  EXPECT_EQ(dataset.official->origin(), "official (val: dev_seen, test: test_seen)");
  EXPECT_TRUE(mentions(log.warnings(), "1 memes have another label in a second file"));
}

TEST(HatefulMemes, SaysThatThereIsNoTestWhereItsFilesHaveNoLabels) {
  MiniTree tree;
  tree.images({"hateful_memes/img/00001.png"})
      .file("hateful_memes/train.jsonl", R"({"id": 1, "img": "img/00001.png", "label": 1, "text": ""})")
      .file("hateful_memes/test.jsonl", R"({"id": 9, "img": "img/00009.png", "text": ""})");
  const Dataset dataset = open_builtin("hateful-memes", tree.path());
  EXPECT_EQ(dataset.official->count(Part::test), 0u);
  EXPECT_TRUE(mentions(dataset.notes, "no test file has labels"));
  EXPECT_TRUE(mentions(dataset.notes, "1 of 2 listed images"));
}

TEST(Intent, ReadsSharesForTrainAndCategoriesForValAndTest) {
  const auto file = [](const char* image, const char* annotation) {
    return fmt::format(R"({{"categories": [{{"id": 0, "name": "Health"}}, {{"id": 1, "name": "Love"}}],
      "images": [{{"id": 7, "filename": "{}"}}], "annotations": [{{"image_id": 7, {}}}]}})",
                       image, annotation);
  };
  MiniTree tree;
  tree.images({"intentonomy/images/a.jpg", "intentonomy/images/b.jpg", "intentonomy/images/c.jpg"})
      .file("intentonomy/intentonomy_train2020.json", file("a.jpg", R"("category_ids_softprob": [0.33, 0.67])"))
      .file("intentonomy/intentonomy_val2020.json", file("b.jpg", R"("category_ids": [0, 1])"))
      .file("intentonomy/intentonomy_test2020.json", file("c.jpg", R"("category_ids": [0])"));
  const Dataset dataset = open_builtin("intent", tree.path());
  const auto bits = dataset.target("labels").multi_label();
  EXPECT_EQ(std::vector<int>(bits.begin(), bits.end()), (std::vector<int>{0, 1, 1, 1, 1, 0}));
  EXPECT_EQ(rows_of(dataset, "votes"), (std::vector<double>{0.33, 0.67, 0, 0, 0, 0}));
  EXPECT_EQ(dataset.ids[2], "images/c.jpg");
  tree.file("intentonomy/intentonomy_val2020.json", file("b.jpg", R"("category_ids": [5])"));
  EXPECT_NE(error_of([&] { open_builtin("intent", tree.path()); }).message().find("unknown image or category"),
            std::string::npos);
}

TEST(Intent, RefusesFilesWithoutCategoriesOrWithOthers) {
  const auto file = [](const char* categories, const char* image) {
    return fmt::format(R"({{"categories": [{}], "images": [{{"id": 1, "filename": "{}"}}],
      "annotations": [{{"image_id": 1, "category_ids": []}}]}})",
                       categories, image);
  };
  MiniTree tree;
  tree.images({"intentonomy/images/a.jpg", "intentonomy/images/b.jpg", "intentonomy/images/c.jpg"})
      .file("intentonomy/intentonomy_train2020.json", file("", "a.jpg"))
      .file("intentonomy/intentonomy_val2020.json", file(R"({"id": 0, "name": "Love"})", "b.jpg"))
      .file("intentonomy/intentonomy_test2020.json", file(R"({"id": 0, "name": "Love"})", "c.jpg"));
  EXPECT_NE(error_of([&] { open_builtin("intent", tree.path()); }).message().find("train2020.json: has no categories"),
            std::string::npos);
  tree.file("intentonomy/intentonomy_train2020.json", file(R"({"id": 0, "name": "Health"})", "a.jpg"));
  EXPECT_NE(error_of([&] { open_builtin("intent", tree.path()); }).message().find("has other categories than train"),
            std::string::npos);
}

TEST(Koniq, ReadsTheLaterTableWithItsSplit) {
  MiniTree tree;
  tree.images({"koniq10k/512x384/1.jpg", "koniq10k/512x384/2.jpg"})
      .file("koniq10k/koniq10k_distributions_sets.csv",
            "image_name,c1,c2,c3,c4,c5,MOS,SD,set\n1.jpg,0,0,0.25,0.7,0.05,68.1,0.5,training\n2.jpg,,0,0.3,0.5,0.2,60,"
            "0.5,test\n");
  const Dataset dataset = open_builtin("koniq", tree.path());
  EXPECT_EQ(dataset.official->part(0), Part::train);
  EXPECT_EQ(dataset.official->part(1), Part::test);
  EXPECT_EQ(rows_of(dataset, "MOS"), (std::vector<double>{68.1, 60}));
  EXPECT_TRUE(dataset.target("votes").known(0));
  EXPECT_FALSE(dataset.target("votes").known(1));  // half a distribution is none
}

TEST(Koniq, MakesItsCountsVotes) {
  MiniTree tree;
  tree.images({"koniq10k/1024x768/1.jpg"})
      .file("koniq10k/koniq10k_scores_and_distributions.csv",
            "\"image_name\",\"c1\",\"c2\",\"c3\",\"c4\",\"c5\",\"c_total\",\"MOS\",\"SD\",\"MOS_zscore\"\n"
            "\"1.jpg\",0,0,25,73,7,105,3.828571428571428,0.527278,63.9\n");
  const Dataset dataset = open_builtin("koniq", tree.path());
  EXPECT_EQ(rows_of(dataset, "votes"), (std::vector<double>{0, 0, 25, 73, 7}));
  EXPECT_EQ(rows_of(dataset, "MOS_zscore"), (std::vector<double>{63.9}));
  EXPECT_EQ(dataset.ids, (Names{"1024x768/1.jpg"}));
}

TEST(LaMem, KeepsItsFiveSplits) {
  MiniTree tree;
  tree.images({"lamem/images/00000001.jpg", "lamem/images/00000002.jpg"});
  for (int s = 1; s <= 5; ++s)
    for (const char* part : {"train", "val", "test"}) {
      const bool first = std::string_view(part) == (s == 1 ? "train" : "test");
      const bool second = std::string_view(part) == "val";
      tree.file(fmt::format("lamem/splits/{}_{}.txt", part, s), first    ? "00000001.jpg 0.731\n"
                                                                : second ? "00000002.jpg 0.5\n"
                                                                         : "");
    }
  const Dataset dataset = open_builtin("lamem", tree.path());
  EXPECT_EQ(dataset.official->part(0), Part::train);
  EXPECT_EQ(dataset.attribute("split-3"), (Names{"test", "val"}));
  EXPECT_EQ(rows_of(dataset, "score"), (std::vector<double>{0.731, 0.5}));
}

TEST(Memotion, ReadsNewlinesInTextsAndMergesSentiments) {
  MiniTree tree;
  tree.images({"memotion_dataset_7k/images/image_1.jpg", "memotion_dataset_7k/images/image_2.jpeg"})
      .file(
          "memotion_dataset_7k/labels.csv",
          ",image_name,text_ocr,text_corrected,humour,sarcasm,offensive,motivational,overall_sentiment\n"
          "0,image_1.jpg,\"LOOK\nTHERE, MY FRIEND\",x,hilarious,general,not_offensive,not_motivational,very_positive\n"
          "1,image_2.jpeg,,,not_funny,twisted_meaning,hateful_offensive,motivational,neutral\n");
  const Dataset dataset = open_builtin("memotion", tree.path());
  EXPECT_EQ(class_names(dataset.target("label")), (Names{"positive", "neutral"}));
  EXPECT_EQ(class_names(dataset.target("humour")), (Names{"hilarious", "not_funny"}));
  EXPECT_EQ(dataset.attribute("text_ocr")[0], "LOOK\nTHERE, MY FRIEND");
  EXPECT_FALSE(dataset.targets.contains(""));
}

TEST(Oasis, TrimsItsThemes) {
  MiniTree tree;
  tree.images({"OASIS/images/Acorns 1.jpg"})
      .file("OASIS/OASIS.csv",
            ",Theme,Category,Source,Valence_mean,Valence_SD,Valence_N,Arousal_mean,Arousal_SD,Arousal_N\n"
            "I1,Acorns 1 ,Object,Pixabay,4.684210526,1.0,102,2.346534653,1.6,101\n");
  const Dataset dataset = open_builtin("oasis", tree.path());
  EXPECT_EQ(dataset.ids, (Names{"images/Acorns 1.jpg"}));
  EXPECT_EQ(rows_of(dataset, "arousal"), (std::vector<double>{2.346534653}));
}

TEST(Omi, ReadsMeansOfEveryAttribute) {
  MiniTree tree;
  tree.images({"omi/images/1.jpg"}).file("omi/attribute_means.csv", "stimulus,trustworthy,happy\n1,43.67,18.97\n");
  const Dataset dataset = open_builtin("omi", tree.path());
  EXPECT_EQ(rows_of(dataset, "happy"), (std::vector<double>{18.97}));
  EXPECT_EQ(dataset.ids, (Names{"images/1.jpg"}));
}

TEST(Omi, LeavesMissingMeansUnknownAndNamesOtherTexts) {
  MiniTree tree;
  tree.images({"omi/images/1.jpg"}).file("omi/attribute_means.csv", "stimulus,happy\n1,NA\n");
  EXPECT_FALSE(open_builtin("omi", tree.path()).target("happy").known(0));
  tree.file("omi/attribute_means.csv", "stimulus,happy\n1,very\n");
  EXPECT_NE(error_of([&] { open_builtin("omi", tree.path()); }).message().find("line 2: 'very' is no number"),
            std::string::npos);
}

TEST(TwitterI, TakesLabelAndVotesFromItsLists) {
  MiniTree tree;
  tree.images({"twitter-i/Agg_AMT_Candidates/1.jpg", "twitter-i/Agg_AMT_Candidates/2.jpg"})
      .file("twitter-i/twitter_three_agrees.txt", "1.jpg 1\n2.jpg 0\n")
      .file("twitter-i/five_agree.txt", "2.jpg 0\n");
  const Dataset dataset = open_builtin("twitter-i", tree.path());
  EXPECT_EQ(class_names(dataset.target("label")), (Names{"positive", "negative"}));
  EXPECT_EQ(dataset.attribute("agreement"), (Names{"three", "five"}));
  EXPECT_EQ(rows_of(dataset, "votes"), (std::vector<double>{2, 3, 5, 0}));
}

TEST(WebEmo, ReadsClassFoldersAndSaysThatItsLayoutIsNotKnown) {
  MiniTree tree;
  tree.images({"WEBEmo/joy/1.jpg", "WEBEmo/fear/2.jpg"});
  const Dataset dataset = open_builtin("webemo", tree.path());
  EXPECT_EQ(class_names(dataset.target("label")), (Names{"fear", "joy"}));
  EXPECT_TRUE(mentions(dataset.notes, "layout is not documented"));
}

TEST(SharedData, BassAndOmiAreReadAsTheyAre) {
  VISE_NEEDS_SHARED();
  RecordingLog log;
  const Dataset bass = open_builtin("bass", test::shared_dir() / "data/datasets", log);
  EXPECT_EQ(bass.size(), 583u);
  EXPECT_TRUE(log.warnings().empty());
  EXPECT_DOUBLE_EQ(rows_of(bass, "valence")[0], 1.729166667);
  EXPECT_TRUE(std::filesystem::exists(bass.path(582)));
  const Dataset omi = open_builtin("omi", test::shared_dir() / "data/datasets", log);
  EXPECT_EQ(omi.size(), 300u);
  EXPECT_DOUBLE_EQ(rows_of(omi, "happy")[0], 18.97058824);
  EXPECT_TRUE(mentions(log.warnings(), "300 rows, where 1004 are known"));
}

}  // namespace
}  // namespace vise::datasets
