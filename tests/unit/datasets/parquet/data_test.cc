// Data sets in Parquet files: which files, which columns, which split; bytes of images by row.
#include "datasets/parquet_data.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "datasets/data_columns.h"
#include "datasets/open_data.h"
#include "datasets/parquet_columns.h"
#include "tests/unit/datasets/parquet/writer.h"
#include "tests/unit/datasets/trees.h"

namespace vise::datasets {
namespace {

using namespace test;

Dataset open(const Path& path, const DataColumns& columns = {}) {
  Silent log;
  return open_data_path(path, log, columns);
}

std::string text_of(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// optional group image { bytes, path }, and one column of its own.
std::vector<Node> with_image(const Node& more) {
  return {{.name = "image", .repeat = optional, .children = 2},
          {.name = "bytes", .physical = byte_array},
          {.name = "path", .physical = byte_array, .converted = kUtf8},
          more};
}
ChunkBytes required_in_image(const std::vector<std::string>& values) {
  const int count = static_cast<int>(values.size());
  return {data_page(count, 0, sized(run(count, 1)) + texts(values)), count};
}
std::vector<std::string> bytes_of(const std::vector<std::string>& names) {
  std::vector<std::string> bytes;
  for (const std::string& name : names) bytes.push_back("bytes of " + name);
  return bytes;
}

std::string hub_metadata(const std::string& features) { return R"({"info": {"features": )" + features + "}}"; }
const std::string kMoods = hub_metadata(
    R"({"image": {"_type": "Image"}, "label": {"names": ["joy", "fear", "None"], "_type": "ClassLabel"}})");

// A shard of the hub's: images `names`, each with a class.
std::string shard(const std::vector<std::string>& names, const std::vector<int>& classes,
                  const std::string& metadata = kMoods) {
  std::string numbers;
  for (const int k : classes) numbers += little(static_cast<std::uint64_t>(k), 8);
  const int count = static_cast<int>(names.size());
  return test::parquet(
      with_image({.name = "label", .physical = int64}),
      {{count, {required_in_image(bytes_of(names)), required_in_image(names), {data_page(count, 0, numbers), count}}}},
      {{"huggingface", metadata}});
}

// A file of plain columns of texts; `bytes` says which are images.
struct TextColumn {
  std::string name;
  std::vector<std::string> cells;
  bool is_bytes = false;
};
std::string table(const std::vector<TextColumn>& columns) {
  std::vector<Node> nodes;
  Group group{static_cast<int>(columns.front().cells.size()), {}};
  for (const TextColumn& column : columns) {
    nodes.push_back({.name = column.name, .physical = byte_array, .converted = column.is_bytes ? kNoType : kUtf8});
    group.chunks.push_back({data_page(group.rows, 0, texts(column.cells)), group.rows});
  }
  return test::parquet(nodes, {group});
}

TEST(ParquetData, TakesSplitAndClassesAsTheHubWritesThem) {
  MiniTree tree;
  tree.file("set/data/train-00000-of-00002.parquet", shard({"a", "b"}, {0, 1}))
      .file("set/data/train-00001-of-00002.parquet", shard({"c"}, {2}))
      .file("set/data/validation-00000-of-00001-b42efb8a4f1b2d4e.parquet", shard({"d"}, {-1}))
      .file("set/data/test-00000-of-00001.parquet", shard({"e"}, {1}))
      .file("set/README.md", "x");
  const Dataset dataset = open(tree / "set");
  EXPECT_EQ(dataset.name, "set");
  EXPECT_EQ(dataset.ids[1], "data/train-00000-of-00002.parquet/0");
  // A class that is called None is one; -1 is no class.
  EXPECT_EQ(class_names(dataset.target("label")), (Names{"fear", "joy", "fear", "class None", "-"}));
  EXPECT_EQ(dataset.attribute("image:path"), (Names{"e", "a", "b", "c", "d"}));
  ASSERT_TRUE(dataset.official);
  EXPECT_EQ(dataset.official->origin(), "official (names of files)");
  EXPECT_EQ(dataset.official->count(Part::train), 3U);
  EXPECT_EQ(dataset.official->part(4), Part::val);
  for (std::size_t i = dataset.size(); i-- > 0;)
    EXPECT_EQ(text_of(dataset.read(i)), "bytes of " + dataset.attribute("image:path")[i]);
}

TEST(ParquetData, TellsImagesByFileColumnAndRowWithoutReadingThem) {
  MiniTree tree;
  std::string spoilt = shard({"a", "b"}, {0, 1});
  spoilt[spoilt.find(sized(std::string("bytes of a")))] = 99;
  tree.file("x.parquet", spoilt);
  const Dataset dataset = open(tree / "x.parquet");
  EXPECT_EQ(dataset.ids, (Names{"x.parquet/0", "x.parquet/1"}));
  EXPECT_FALSE(dataset.identity(0) == dataset.identity(1));
  EXPECT_TRUE(dataset.identity(0) == open(tree / "x.parquet").identity(0));
  const Error error = error_of([&] { dataset.read(0); });
  EXPECT_EQ(error.kind(), ErrorKind::input);
  EXPECT_NE(error.message().find("x.parquet: row group 0, column 'image:bytes': a value claims 99 bytes"),
            std::string::npos)
      << error.message();
  EXPECT_TRUE(dataset.has_image(1));
  EXPECT_EQ(error_of([&] { dataset.container->read("x.parquet/2"); }).kind(), ErrorKind::missing);
}

TEST(ParquetData, GivesNoBytesForANull) {
  MiniTree tree;
  tree.file("x.parquet", test::parquet({{.name = "image", .repeat = optional, .physical = byte_array}},
                                       {{2, {{data_page(2, 0, sized(packed_group("\2")) + texts({"b"})), 2}}}}));
  const Dataset dataset = open(tree / "x.parquet");
  EXPECT_TRUE(dataset.read(0).empty());
  EXPECT_EQ(text_of(dataset.read(1)), "b");
}

TEST(ParquetData, SaysWhereAFileHasChanged) {
  MiniTree tree;
  tree.file("x.parquet", shard({"a"}, {0}));
  const Dataset dataset = open(tree / "x.parquet");
  tree.file("x.parquet", shard({"b"}, {0}));
  EXPECT_NE(error_of([&] { dataset.read(0); }).message().find("has changed since it was opened"), std::string::npos);
}

TEST(ParquetData, AsksWhichOfSeveralColumnsIsTheImage) {
  MiniTree tree;
  tree.file("two.parquet", table({{"left", {"l"}, true}, {"right", {"r"}, true}, {"mood", {"joy"}}}))
      .file("one.parquet", table({{"left", {"l"}, true}, {"mood", {"joy"}}}))
      .file("usual.parquet", table({{"mask", {"m"}, true}, {"img", {"i"}, true}}));
  const Error error = error_of([&] { open(tree / "two.parquet"); });
  EXPECT_NE(error.message().find("several columns hold bytes: left, right"), std::string::npos);
  EXPECT_NE(error.hint().find("--path-column left"), std::string::npos);
  EXPECT_EQ(text_of(open(tree / "two.parquet", {.path = "right", .label = "mood", .split = "", .kind = ""}).read(0)),
            "r");
  EXPECT_EQ(text_of(open(tree / "one.parquet").read(0)), "l");
  EXPECT_EQ(text_of(open(tree / "usual.parquet").read(0)), "i");
}

TEST(ParquetData, ReadsATableOfPathsWhereNoColumnHoldsBytes) {
  MiniTree tree;
  const std::string bytes = table({{"file_name", {"a.png", "b.png"}}, {"label", {"joy", "fear"}}});
  tree.images({"a.png", "b.png", "train/a.png", "train/b.png"})
      .file("t.parquet", bytes)
      .file("train/metadata.parquet", bytes);
  const Dataset dataset = open(tree / "t.parquet");
  EXPECT_EQ(dataset.ids, (Names{"a.png", "b.png"}));
  EXPECT_EQ(class_names(dataset.target("label")), (Names{"joy", "fear"}));
  EXPECT_FALSE(dataset.container);
  EXPECT_EQ(open(tree / "train").ids, dataset.ids);  // an image folder of the hub
}

// Lists: 1 of each row begins at repetition level 0; definition 3 is a value, 1 an empty list, 0 a null one.
std::string with_lists(const std::string& repetition, const std::string& definition, const std::vector<int>& values,
                       int entries, int rows, const std::string& name = "labels") {
  std::string numbers;
  for (const int value : values) numbers += little(static_cast<std::uint64_t>(value), 8);
  std::vector<Node> nodes{{.name = "image", .physical = byte_array},
                          {.name = name, .repeat = optional, .converted = kList, .children = 1},
                          {.name = "list", .repeat = repeated, .children = 1},
                          {.name = "element", .repeat = optional, .physical = int64}};
  return test::parquet(
      nodes,
      {{rows,
        {{data_page(rows, 0, texts(std::vector<std::string>(static_cast<std::size_t>(rows), "i"))), rows},
         {data_page(entries, 0, sized(repetition) + sized(definition) + numbers), entries}}}},
      {{"huggingface",
        hub_metadata("{\"" + name +
                     R"(": {"_type": "Sequence", "feature": {"_type": "ClassLabel", "names": ["sky", "dog"]}}})")}});
}

TEST(ParquetData, MakesListsOfClassesLabels) {
  MiniTree tree;
  // [sky dog], [dog], [], null
  const std::string repetition = packed_group(std::string("\x02", 1)), definition = run(3, 3) + run(1, 1) + run(1, 0);
  tree.file("l.parquet", with_lists(repetition, definition, {0, 1, 1}, 5, 4))
      .file("t.parquet", with_lists(repetition, definition, {0, 1, 1}, 5, 4, "tags"))
      .file("twice.parquet", with_lists(repetition, definition, {0, 0, 1}, 5, 4))
      .file("more.parquet", with_lists(repetition, definition, {0, 7, 1}, 5, 4));
  for (const Dataset& dataset :
       {open(tree / "l.parquet"), open(tree / "t.parquet", {.path = "", .label = "tags", .split = "", .kind = ""})}) {
    const Targets& labels = dataset.target("labels");
    EXPECT_EQ(labels.names(), (Names{"dog", "sky"}));
    const std::vector<std::int8_t> bits(labels.multi_label().begin(), labels.multi_label().end());
    EXPECT_EQ(bits, (std::vector<std::int8_t>{1, 1, 1, 0, 0, 0, -1, -1}));
    EXPECT_EQ(dataset.notes, (Names{"not known: 1 labels (NA)"}));
  }
  EXPECT_NE(
      error_of([&] { open(tree / "twice.parquet"); }).message().find("row 0: the column 'labels' lists 'sky' twice"),
      std::string::npos);
  EXPECT_NE(error_of([&] { open(tree / "more.parquet"); }).message().find("holds the class 7, but 2 are named"),
            std::string::npos);
}

TEST(ParquetData, LeavesOutWhatItDoesNotReadAndRefusesWhenAsked) {
  MiniTree tree;
  const std::string date =
      test::parquet({{.name = "image", .physical = byte_array}, {.name = "taken", .physical = int64, .converted = 9}},
                    {{1, {{data_page(1, 0, sized(std::string("i"))), 1}, {data_page(1, 0, little(1, 8)), 1}}}});
  tree.file("d.parquet", date);
  const Dataset dataset = open(tree / "d.parquet");
  EXPECT_TRUE(dataset.targets.empty());
  const Error error =
      error_of([&] { open(tree / "d.parquet", {.path = "", .label = "taken", .split = "", .kind = ""}); });
  EXPECT_NE(error.message().find("the column 'taken' is a timestamp, which is not read"), std::string::npos);
}

TEST(ParquetData, RefusesFilesThatDoNotBelongTogether) {
  MiniTree tree;
  const std::string other = hub_metadata(R"({"label": {"names": ["fear", "joy"], "_type": "ClassLabel"}})");
  tree.file("classes/train.parquet", shard({"a"}, {0})).file("classes/test.parquet", shard({"b"}, {1}, other));
  tree.file("configs/full/train.parquet", shard({"a"}, {0})).file("configs/small/train.parquet", shard({"b"}, {1}));
  tree.file("mixed/train.parquet", shard({"a"}, {0})).images({"mixed/a.png"});
  const auto message = [&](const char* folder) { return error_of([&] { open(tree / folder); }).message(); };
  EXPECT_NE(message("classes").find("the classes of the column 'label' are others than"), std::string::npos);
  EXPECT_NE(message("configs").find("Parquet files lie in full, small: which is meant isn't said"), std::string::npos);
  EXPECT_NE(message("mixed").find("images (a.png) lie beside Parquet files (train.parquet)"), std::string::npos);
}

using Parts = std::vector<std::optional<Part>>;
Parts parts_of(const Names& ids) {
  Names remarks;
  return parts_of_files(ids, remarks);
}

TEST(ParquetParts, AreSaidByFilesAndFolders) {
  EXPECT_EQ(parts_of({"default/train/0000.parquet", "default/partial-test/0001.parquet"}),
            (Parts{Part::train, Part::test}));
  EXPECT_EQ(parts_of({"cifar10-train.parquet", "cifar10-test.parquet"}), (Parts{Part::train, Part::test}));
  EXPECT_EQ(parts_of({"train_00.parquet", "dev_00.parquet"}), (Parts{Part::train, Part::val}));
  // Others than the parts are unused; half a split is asked about; and one part is none.
  EXPECT_EQ(parts_of({"test.parquet", "train.parquet", "extra.parquet"}),
            (Parts{Part::test, Part::train, Part::unused}));
  EXPECT_EQ(error_of([] { parts_of({"train.parquet", "holdout.parquet"}); }).kind(), ErrorKind::input);
  EXPECT_EQ(parts_of({"train-00000-of-00002.parquet", "train-00001-of-00002.parquet"}),
            (Parts{std::nullopt, std::nullopt}));
  EXPECT_EQ(parts_of({"a_train.parquet", "b_test.parquet"}), (Parts{std::nullopt, std::nullopt}));
}

// DuckDB wrote these; the README beside them says what each must give, and the PNGs they were made of are in ../bass.
TEST(ParquetData, ReadsTheFilesOfAnotherWriter) {
  VISE_NEEDS_SHARED();
  const Path archives = shared_dir() / "data/archives", pictures = shared_dir() / "data/datasets/bass/images";
  std::map<std::string, Json> rows;
  for (const Json& row : read_json(archives / "rows.json"))
    rows[Path(row["path"].get<std::string>()).filename().string()] = row;
  const auto check = [&](const std::string& name, const std::string& target, const DataColumns& columns = {}) {
    const Dataset dataset = open(archives / name, columns);
    EXPECT_EQ(dataset.size(), 24U) << name;
    const bool has_paths = dataset.attributes.contains("image:path");
    for (std::size_t i = 0; i < dataset.size(); ++i) {
      const auto bytes = dataset.read(i);
      if (!has_paths) continue;
      const std::string& picture = dataset.attribute("image:path")[i];
      EXPECT_EQ(bytes, read_file(pictures / picture)) << name << " " << picture;
      const Json& row = rows.at(picture);
      const Targets& targets = dataset.target(target);
      if (targets.kind() == TargetKind::classes) {
        EXPECT_EQ(targets.names()[static_cast<std::size_t>(targets.classes()[i])], row["label"].get<std::string>());
      }
      if (targets.kind() == TargetKind::values) {
        EXPECT_EQ(targets.rows()[i], row["score"].get<double>());
      }
      if (dataset.official) {
        EXPECT_EQ(part_name(dataset.official->part(i)), row["split"].get<std::string>());
      }
    }
    return dataset;
  };
  EXPECT_TRUE(check("hub", "label").official);
  check("hub/*.parquet", "label");
  check("many-groups.parquet", "label");
  check("snappy-strings.parquet", "label");
  check("gzip-scores.parquet", "score");
  EXPECT_EQ(check("plain-multilabel.parquet", "labels").target("labels").names(), (Names{"drawn", "high", "low"}));
  const Dataset bare =
      check("bare-binary-nulls.parquet", "label", {.path = "img", .label = "emotion", .split = "", .kind = ""});
  EXPECT_EQ(std::count(bare.target("label").classes().begin(), bare.target("label").classes().end(), kNoClass), 1);
  EXPECT_EQ(bare.notes, (Names{"not known: 1 emotion (empty)"}));
}

}  // namespace
}  // namespace vise::datasets
