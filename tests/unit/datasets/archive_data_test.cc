#include "datasets/archive_data.h"

#include <map>
#include <set>

#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "datasets/archives/archive_names.h"
#include "datasets/data_columns.h"
#include "datasets/data_files.h"
#include "datasets/open_data.h"
#include "tests/unit/datasets/archives/packed.h"

namespace vise::datasets {
namespace {

using test::as_text;
using test::class_names;
using test::error_of;
using test::MiniTree;
using test::Names;
using test::open_builtin;
using test::tar;
using test::zip;

std::string part_names(const Dataset& dataset) {
  std::string text;
  for (std::size_t i = 0; i < dataset.size(); ++i)
    text += (i ? " " : "") + std::string(part_name(dataset.official->part(i)));
  return text;
}

class ArchiveData : public testing::Test {
 protected:
  Dataset open(const std::string& name, const DataColumns& columns = {}) {
    return open_data_path(tree_ / name, log_, columns, tree_ / "cache");
  }

  MiniTree tree_;
  RecordingLog log_;
};

TEST_F(ArchiveData, OfClassFoldersIsWhatTheFolderWouldBe) {
  tree_.file("photos.zip", zip({{"photos/", ""}, {"photos/calm/1.png", "a"}, {"photos/tense/2.png", "b"}}));
  const Dataset dataset = open("photos.zip");
  EXPECT_EQ(dataset.name, "photos");
  EXPECT_EQ(dataset.ids, (Names{"photos/calm/1.png", "photos/tense/2.png"}));
  EXPECT_EQ(class_names(dataset.target("label")), (Names{"calm", "tense"}));
  EXPECT_EQ(as_text(dataset.read(1)), "b");
  EXPECT_EQ(dataset.identity(1).size, 1u);
  EXPECT_NE(dataset.identity(0), dataset.identity(1));
  EXPECT_EQ(error_of([&] { open("photos.zip", {.path = "x", .label = {}, .split = {}, .kind = {}}); }).kind(),
            ErrorKind::usage);
}

TEST_F(ArchiveData, OfSplitArchivesIsSplit) {
  tree_.file("d/train.tar", tar({{"calm/1.png", "a"}, {"tense/2.png", "b"}}));
  tree_.file("d/test.tar", tar({{"calm/3.png", "c"}, {"tense/4.png", "d"}}));
  const Dataset dataset = open("d");
  EXPECT_EQ(dataset.ids, (Names{"test/calm/3.png", "test/tense/4.png", "train/calm/1.png", "train/tense/2.png"}));
  EXPECT_EQ(part_names(dataset), "test test train train");
  EXPECT_EQ(class_names(dataset.target("label")), (Names{"calm", "tense", "calm", "tense"}));
}

TEST_F(ArchiveData, OfAnArchiveAClassHasTheirNamesForLabels) {
  tree_.file("d/joy.zip", zip({{"joy/1.png", "a"}, {"joy/2.png", "b"}})).file("d/fear.zip", zip({{"1.png", "c"}}));
  const Dataset dataset = open("d");
  EXPECT_EQ(dataset.ids, (Names{"fear/1.png", "joy/1.png", "joy/2.png"}));
  EXPECT_EQ(class_names(dataset.target("label")), (Names{"fear", "joy", "joy"}));
}

TEST_F(ArchiveData, WarnsOfAnArchiveWithoutAnImage) {
  tree_.file("d/joy.zip", zip({{"1.png", "a"}})).file("d/fear.zip", zip({{"1.png", "c"}}));
  tree_.file("d/rage.zip", zip({{"1.pdf", "x"}}));
  const Dataset dataset = open("d");
  EXPECT_EQ(dataset.notes, (Names{"no image is in the archive 'rage.zip', which is passed over"}));
  EXPECT_TRUE(test::mentions(log_.warnings(), dataset.notes.back()));
}

TEST_F(ArchiveData, OfNumberedShardsIsOneWhole) {
  tree_.file("d/img-000.tar", tar({{"calm/1.png", "a"}})).file("d/img-001.tar", tar({{"tense/2.png", "b"}}));
  EXPECT_EQ(open("d").ids, (Names{"calm/1.png", "tense/2.png"}));
  EXPECT_EQ(open("d/img-{000..001}.tar").ids, (Names{"calm/1.png", "tense/2.png"}));
  EXPECT_EQ(open("d/*.tar").name, "d");
  EXPECT_EQ(error_of([&] { open("d/img-{000..002}.tar"); }).kind(), ErrorKind::missing);
  // Names that repeat: the shard's own name comes before.
  tree_.file("d/img-002.tar", tar({{"calm/1.png", "c"}}));
  EXPECT_EQ(open("d").ids, (Names{"img-000/calm/1.png", "img-001/tense/2.png", "img-002/calm/1.png"}));
}

TEST_F(ArchiveData, WithATableIsAManifest) {
  tree_.file(
      "t.tar",
      tar({{"1.png", "a"}, {"2.png", "b"}, {"metadata.csv", "file_name,label,split\n2.png,x,test\n1.png,y,train\n"}}));
  const Dataset dataset = open("t.tar");
  EXPECT_EQ(dataset.ids, (Names{"2.png", "1.png"}));
  EXPECT_EQ(class_names(dataset.target("label")), (Names{"x", "y"}));
  EXPECT_EQ(as_text(dataset.read(0)), "b");
  EXPECT_EQ(open("t.tar", {.path = {}, .label = "split", .split = {}, .kind = {}}).target("label").names(),
            (Names{"test", "train"}));
  // A table that names what isn't there says so.
  tree_.file("bad.tar", tar({{"1.png", "a"}, {"metadata.csv", "file_name,label\n9.png,x\n"}}));
  EXPECT_EQ(error_of([&] { open("bad.tar"); }).kind(), ErrorKind::missing);
}

TEST_F(ArchiveData, OfWebDatasetHasFieldsForColumns) {
  tree_.file("w/train-000.tar", tar({{"0.png", "a"}, {"0.cls", "1\n"}, {"1.png", "b"}, {"1.cls", "0"}}));
  tree_.file("w/test-000.tar", tar({{"2.cls", "1"}, {"2.webp", "c"}, {"3.cls", "0"}}));
  tree_.file("w/classnames.txt", "calm\ntense\n");
  const Dataset dataset = open("w");
  EXPECT_EQ(dataset.ids, (Names{"2.webp", "0.png", "1.png"}));
  EXPECT_EQ(class_names(dataset.target("label")), (Names{"tense", "tense", "calm"}));
  EXPECT_EQ(part_names(dataset), "test train train");
  ASSERT_EQ(log_.warnings().size(), 1u);
  EXPECT_TRUE(log_.warnings()[0].find("1 samples have no image") != std::string::npos) << log_.warnings()[0];
  // Latin-1 would be another label.
  tree_.file("l.tar", tar({{"0.png", "a"}, {"0.txt", "f\xE9roce"}}));
  EXPECT_TRUE(error_of([&] { open("l.tar"); }).message().ends_with("l.tar: 0.txt is not UTF-8"));
  // Out of the list.
  tree_.file("w/classnames.txt", "calm\n");
  EXPECT_EQ(error_of([&] { open("w"); }).kind(), ErrorKind::input);
}

TEST_F(ArchiveData, OfWebDatasetTakesJsonAndAChosenField) {
  const std::string one = R"({"mood": "calm", "score": 1.5, "split": "train"})",
                    two = R"({"mood": "tense", "score": 2.5, "split": "test"})";
  tree_.file(
      "j.tar",
      tar({{"0.json", one}, {"0.jpg", "a"}, {"0.seg.png", "s"}, {"1.json", two}, {"1.jpg", "b"}, {"1.seg.png", "t"}}));
  EXPECT_EQ(error_of([&] { open("j.tar"); }).kind(), ErrorKind::usage);  // two images a sample
  const Dataset dataset = open("j.tar", {.path = "jpg", .label = "mood", .split = {}, .kind = {}});
  EXPECT_EQ(dataset.ids, (Names{"0.jpg", "1.jpg"}));
  EXPECT_EQ(class_names(dataset.target("label")), (Names{"calm", "tense"}));
  EXPECT_EQ(dataset.target("score").rows()[1], 2.5);
  EXPECT_EQ(part_names(dataset), "train test");
  EXPECT_EQ(open("j.tar", {.path = "seg.png", .label = {}, .split = {}, .kind = {}}).ids,
            (Names{"0.seg.png", "1.seg.png"}));
}

// As CLIP_benchmark lays its sets out.
TEST_F(ArchiveData, OfWebDatasetIsSplitByFolders) {
  tree_.file("c/classnames.txt", "calm\ntense\n").file("c/zeroshot_classification_templates.txt", "a photo of {c}\n");
  tree_.file("c/train/0.tar", tar({{"s0.webp", "a"}, {"s0.cls", "1"}})).file("c/train/nshards.txt", "2");
  tree_.file("c/train/1.tar", tar({{"s1.webp", "b"}, {"s1.cls", "0"}}));
  tree_.file("c/test/0.tar", tar({{"s0.webp", "c"}, {"s0.cls", "0"}}));
  const Dataset dataset = open("c");
  EXPECT_EQ(dataset.ids, (Names{"test/0/s0.webp", "train/0/s0.webp", "train/1/s1.webp"}));
  EXPECT_EQ(class_names(dataset.target("label")), (Names{"calm", "tense", "calm"}));
  EXPECT_EQ(part_names(dataset), "test train train");
}

TEST_F(ArchiveData, BesideATableHoldsItsImages) {
  tree_.file("t/img.tar", tar({{"img/1.png", "a"}, {"img/2.png", "b"}}));
  tree_.file("t/a.csv", "path,label\nimg/1.png,x\nimg/2.png,y\n").file("t/b.csv", "path,label\nimg.tar/img/2.png,y\n");
  tree_.file("u/any.zip", zip({{"1.png", "u"}})).file("u/c.csv", "path,label\n1.png,x\n");
  EXPECT_EQ(as_text(open("t/a.csv").read(1)), "b");
  EXPECT_EQ(as_text(open("t/b.csv").read(0)), "b");
  EXPECT_EQ(as_text(open("u/c.csv").read(0)), "u");
}

TEST_F(ArchiveData, IsReadInTheOrderOfItsBytes) {
  tree_.file("p.tar", tar({{"c/3.png", "3"}, {"a/1.png", "1"}, {"b/2.png", "2"}}));
  const Dataset dataset = open("p.tar");
  std::vector<std::uint32_t> items{0, 1, 2};
  dataset.sort_for_reading(items);
  EXPECT_EQ(items, (std::vector<std::uint32_t>{2, 0, 1}));
}

TEST_F(ArchiveData, SaysWhatIsNotRead) {
  tree_.file("e.zip", zip({{"notes.txt", "x"}}))
      .file("r.rar", "Rar!")
      .file("l.tar", tar({{"a/1.png", "x"}, {"a/2.png", "", '2'}}));
  EXPECT_EQ(error_of([&] { open("e.zip"); }).kind(), ErrorKind::input);
  EXPECT_TRUE(error_of([&] { open("r.rar"); }).hint().find(".tar.zst") != std::string::npos);
  open("l.tar");
  ASSERT_EQ(log_.warnings().size(), 1u);
  EXPECT_TRUE(log_.warnings()[0].find("1 links are not followed") != std::string::npos);
}

// An adapter's image folder, packed by its name, gives what the folder gives.
TEST_F(ArchiveData, StandsForAnAdaptersImageFolder) {
  const auto list = [&](MiniTree& tree) -> MiniTree& {
    return tree.file("CUB_200_2011/images.txt", "1 a/1.jpg\n2 b/2.jpg\n")
        .file("CUB_200_2011/image_class_labels.txt", "1 1\n2 2\n")
        .file("CUB_200_2011/train_test_split.txt", "1 1\n2 0\n")
        .file("CUB_200_2011/classes.txt", "1 a\n2 b\n");
  };
  MiniTree plain;
  const Dataset files =
      open_builtin("cub", list(plain).images({"CUB_200_2011/images/a/1.jpg", "CUB_200_2011/images/b/2.jpg"}).path());
  for (const bool own : {true, false}) {
    MiniTree packed;
    const std::string folder = own ? "images/" : "";
    list(packed).file("CUB_200_2011/images.zip", zip({{folder + "a/1.jpg", "one"}, {folder + "b/2.jpg", "two"}}));
    const Dataset dataset = open_builtin("cub", packed.path());
    EXPECT_EQ(dataset.ids, files.ids);
    EXPECT_EQ(class_names(dataset.target("label")), class_names(files.target("label")));
    EXPECT_EQ(as_text(dataset.read(1)), "two");
  }
}

TEST_F(ArchiveData, StandsForAClassTree) {
  MiniTree packed;
  packed.file("FI/emotion_dataset.tar",
              tar({{"emotion_dataset/awe/1.jpg", "one"}, {"emotion_dataset/fear/2.jpg", "two"}}));
  const Dataset dataset = open_builtin("fi", packed.path());
  EXPECT_EQ(dataset.ids, (Names{"emotion_dataset/awe/1.jpg", "emotion_dataset/fear/2.jpg"}));
  EXPECT_EQ(as_text(dataset.read(0)), "one");
}

TEST(ShardWord, IsTheNameWithoutItsNumber) {
  for (const auto& [name, word] :
       {std::pair("train-000012.tar", "train"), std::pair("train-00000-of-00004.tar.gz", "train"),
        std::pair("0.tar", ""), std::pair("train_3.zip", "train"), std::pair("photos.zip", "photos"),
        std::pair("00000-of-00004.tar", ""), std::pair("proof1.zip", "proof")})
    EXPECT_EQ(shard_word(name), word) << name;
}

TEST(DataFiles, ReadBracesAndWildcards) {
  MiniTree tree;
  tree.images({"a-08.tar", "a-09.tar", "a-10.tar", "b.tar", "x{1..2}.tar"});
  const auto names = [&](const std::string& word) {
    Names all;
    for (const Path& file : data_files(tree / word)) all.push_back(file.filename());
    return all;
  };
  EXPECT_EQ(names("a-{08..10}.tar"), (Names{"a-08.tar", "a-09.tar", "a-10.tar"}));
  EXPECT_EQ(names("a-*.tar"), (Names{"a-08.tar", "a-09.tar", "a-10.tar"}));
  EXPECT_EQ(names("{b,a-1?}.tar"), (Names{"b.tar", "a-10.tar"}));
  EXPECT_EQ(names("x{1..2}.tar"), Names{"x{1..2}.tar"});
  EXPECT_EQ(names("b.tar"), Names{"b.tar"});
  EXPECT_EQ(error_of([&] { names("a-{08..11}.tar"); }).kind(), ErrorKind::missing);
  EXPECT_EQ(error_of([&] { names("c-*.tar"); }).kind(), ErrorKind::missing);
  for (const char* const word : {"a-{9..8}.tar", "a-{x..y}.tar", "a-{0..99999999}.tar"})
    EXPECT_EQ(error_of([&] { names(word); }).kind(), ErrorKind::usage) << word;
}

// ../shared/data/archives: what its README says of each file, and the pictures' own bytes.
class SharedArchives : public testing::Test {
 protected:
  void SetUp() override {
    VISE_NEEDS_SHARED();
    const Path data = test::shared_dir() / "data";
    for (const Json& row : parse_json(read_text_file(data / "archives/rows.json"), "rows.json")) {
      const std::string path = row["path"];
      rows_[path.substr(path.rfind('/') + 1)] = {row["label"], row["split"], row["score"],
                                                 content_hash(read_file(data / "datasets/bass" / path))};
    }
  }

  struct Row {
    std::string label, split;
    double score;
    ContentHash content;
  };

  void check(const std::string& name, bool has_split, const DataColumns& columns = {}) {
    SCOPED_TRACE(name);
    Silent log;
    const Dataset dataset = open_data_path(test::shared_dir() / "data/archives" / name, log, columns);
    ASSERT_EQ(dataset.size(), 24u);
    EXPECT_EQ(dataset.official.has_value(), has_split);
    std::set<std::string> seen;
    const Names labels = class_names(dataset.target("label"));
    for (std::size_t i = 0; i < dataset.size(); ++i) {
      const std::string file = dataset.ids[i].substr(dataset.ids[i].rfind('/') + 1);
      const Row& row = rows_.at(file);
      seen.insert(file);
      EXPECT_EQ(labels[i], row.label) << file;
      EXPECT_EQ(content_hash(dataset.read(i)), row.content) << file;
      if (has_split) {
        EXPECT_EQ(part_name(dataset.official->part(i)), row.split) << file;
      }
      if (dataset.targets.contains("score")) {
        EXPECT_EQ(dataset.target("score").rows()[i], row.score) << file;
      }
    }
    EXPECT_EQ(seen.size(), 24u);
  }

  std::map<std::string, Row> rows_;
};

TEST_F(SharedArchives, GiveTheSameTwentyFourPictures) {
  for (const char* const name : {"stored.zip", "deflated.zip", "zip64.zip", "ustar.tar", "ustar.tar.gz",
                                 "ustar.tar.zst", "gnu-long.tar", "pax-long.tar"})
    check(name, false);
  check("with-table.tar", true);
  check("wds", true);
  check("wds/*-{000000..000001}.tar", true);
  check("wds-json", false);
  check("wds-json/data-{000000..000001}.tar", false, {.path = "png", .label = "label", .split = {}, .kind = {}});
}

}  // namespace
}  // namespace vise::datasets
