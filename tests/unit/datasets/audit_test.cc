#include "datasets/audit.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/npy.h"
#include "datasets/audit_report.h"
#include "datasets/export.h"
#include "datasets/open_data.h"
#include "tests/unit/datasets/trees.h"

namespace vise::datasets {
namespace {

using test::MiniTree;
using test::Names;

const std::string kPng = "\x89PNG\r\n\x1A\n" + std::string(2000, 'x');

TEST(Audit, FindsDuplicatesConflictsTyposAndBadFiles) {
  MiniTree tree;
  tree.file("a.png", kPng + "1")
      .file("b.png", kPng + "2")
      .file("c.jpg", kPng + "1")
      .file("d.png", kPng + "2")
      .file("e.png", kPng.substr(0, 40))
      .file("f.png", kPng + "3")
      .file("t.csv",
            "path,label,split\na.png,surprise,train\nb.png,joy,train\nc.jpg,joy,test\nd.png,joy,train\ne.png,surprise,"
            "val\n"
            "f.png,suprise,train\ngone.png,,test\n");
  Silent log;
  const Dataset dataset = open_data_path(tree / "t.csv", log);
  const Audit audit = audit_files(dataset, *dataset.official, {.log = log, .threads = 2});
  ASSERT_EQ(audit.duplicates.size(), 2u);
  EXPECT_EQ(audit.duplicates[0].items, (std::vector<std::uint32_t>{0, 2}));
  EXPECT_TRUE(audit.duplicates[0].across_parts && audit.duplicates[0].conflicting);
  EXPECT_EQ(audit.duplicates[1].items, (std::vector<std::uint32_t>{1, 3}));
  EXPECT_FALSE(audit.duplicates[1].across_parts || audit.duplicates[1].conflicting);
  ASSERT_EQ(audit.typos.size(), 1u);
  EXPECT_EQ(audit.typos[0].rare, "suprise");
  EXPECT_EQ(audit.typos[0].common, "surprise");
  ASSERT_EQ(audit.wrong_extension.size(), 1u);
  EXPECT_EQ(audit.wrong_extension[0].reason, "is png by content, jpeg by name");
  ASSERT_EQ(audit.unreadable.size(), 1u);
  EXPECT_EQ(audit.unreadable[0].item, 6u);
  ASSERT_EQ(audit.tiny.size(), 1u);
  EXPECT_EQ(audit.tiny[0].reason, "40 bytes");
  EXPECT_EQ(audit.unlabelled, 1u);
  EXPECT_EQ(audit.classes[0].name, "joy");
  EXPECT_EQ(audit.classes[0].items.at(Part::train), 2u);
  EXPECT_DOUBLE_EQ(audit.imbalance, 3);
}

TEST(Audit, AsksWhetherLabelsThatLookLikeASplitAreLabels) {
  MiniTree tree;
  tree.file("a.png", kPng + "1").file("b.png", kPng + "2").file("t.csv", "path,label\na.png,train\nb.png,test\n");
  Silent log;
  const Dataset dataset = open_data_path(tree / "t.csv", log);
  const Split none(std::vector<Part>(2, Part::unused), "none");
  const Audit audit = audit_files(dataset, none, {.log = log});
  EXPECT_EQ(audit.label_doubt, "are the names of a split: test, train");
  EXPECT_TRUE(has_findings(audit));
  EXPECT_NE(audit_text(audit, dataset, none).find("are these the labels? They are the names of a split: test, train"),
            std::string::npos);
  EXPECT_EQ(audit_json(audit, dataset, none)["label_doubt"], audit.label_doubt);
}

PictureFacts picture(std::uint64_t pixels, std::uint64_t bits) {
  PictureFacts facts{.width = 100, .height = 80, .pixels = {pixels, pixels}, .print = {}, .error = {}};
  facts.print.bits = bits;
  facts.print.usable = true;
  for (std::size_t i = 0; i < facts.print.thumbnail.size(); ++i)
    facts.print.thumbnail[i] = static_cast<std::uint8_t>(i % 31 * (bits % 7 + 1));
  return facts;
}

TEST(Audit, JoinsWhatPixelsTell) {
  MiniTree tree;
  for (const char* name : {"a", "b", "c", "d", "e", "f"}) tree.file(std::string(name) + ".png", kPng + name);
  tree.file("a2.png", kPng + "a")
      .file("t.csv",
            "path,label,split\na.png,x,test\nb.png,x,train\nc.png,y,test\nd.png,y,train\n"
            "e.png,x,val\nf.png,x,test\na2.png,x,test\n");
  Silent log;
  const Dataset dataset = open_data_path(tree / "t.csv", log);
  const Context context{.log = log};
  Audit audit = audit_files(dataset, *dataset.official, context);
  std::vector<PictureFacts> pictures{picture(1, 0xFF00FF), picture(1, 0xFF00FF),         picture(2, 7 * 11),
                                     picture(3, 7 * 13),   picture(4, UINT64_MAX << 20), picture(5, 0),
                                     picture(1, 0xFF00FF)};
  pictures[2].print = picture(0, 7 * 9).print;
  pictures[3].print = picture(0, 7 * 9).print;
  pictures[3].print.bits ^= 3;
  pictures[4].print.usable = false;
  pictures[5].error = "f.png: is cut short";
  audit_pictures(dataset, *dataset.official, pictures, context, audit);
  ASSERT_EQ(audit.duplicates.size(), 2u);  // across splits first: a, b and a2 by pixels; then a and a2 by bytes
  EXPECT_EQ(audit.duplicates[0].items, (std::vector<std::uint32_t>{0, 1, 6}));
  EXPECT_TRUE(audit.duplicates[0].across_parts && !audit.duplicates[0].same_bytes);
  EXPECT_EQ(audit.duplicates[1].items, (std::vector<std::uint32_t>{0, 6}));
  EXPECT_TRUE(audit.duplicates[1].same_bytes);
  ASSERT_EQ(audit.similar.size(), 1u);
  EXPECT_EQ(audit.similar[0].pair.first, 2u);
  EXPECT_EQ(audit.similar[0].pair.second, 3u);
  EXPECT_EQ(audit.similar[0].pair.bits, 2);
  EXPECT_TRUE(audit.similar[0].across_parts && !audit.similar[0].conflicting);
  ASSERT_EQ(audit.blank.size(), 1u);
  ASSERT_EQ(audit.unreadable.size(), 1u);
  Names flagged;
  for (const BadFile& file : flagged_test_items(audit, dataset, *dataset.official))
    flagged.push_back(fmt::format("{}: {}", dataset.ids[file.item], file.reason));
  EXPECT_EQ(flagged, (Names{"a.png: the same pixels in train", "c.png: looks like d.png in train", "f.png: unreadable",
                            "a2.png: the same pixels in train"}));
  EXPECT_TRUE(has_findings(audit));
  const Json json = audit_json(audit, dataset, *dataset.official);
  EXPECT_EQ(json["flagged_test"].size(), 4u);
  EXPECT_EQ(json["duplicates"][0]["ids"], Json({"a.png", "b.png", "a2.png"}));
  const std::string page =
      audit_html(audit, dataset, *dataset.official, [](std::uint32_t) { return std::string("\x89PNG"); });
  EXPECT_NE(page.find("data:image/png;base64,iVBORw=="), std::string::npos);
  EXPECT_NE(page.find("c.png (test, y)"), std::string::npos);
}

TEST(Audit, ListsNearFeaturesThatPixelsDidNotTell) {
  MiniTree tree;
  for (const char* name : {"a", "b", "c", "d"}) tree.file(std::string(name) + ".png", kPng + name);
  tree.file("a2.png", kPng + "a")
      .file("t.csv", "path,label,split\na.png,x,train\nb.png,x,train\nc.png,y,test\nd.png,x,train\na2.png,x,test\n");
  Silent log;
  const Dataset dataset = open_data_path(tree / "t.csv", log);
  Audit audit = audit_files(dataset, *dataset.official, {.log = log});
  audit.similar.push_back({{.first = 1, .second = 3}, false, false});
  const NeighbourPair pairs[] = {{0, 1, 0.99}, {0, 4, 1}, {1, 3, 0.98}, {2, 3, 0.9}};
  audit_features(dataset, *dataset.official, pairs, "net", audit);
  ASSERT_EQ(audit.neighbours.size(), 2u);  // a and a2 have the same bytes, b and d look alike
  EXPECT_EQ(audit.neighbours[0].pair.first, 2u);
  EXPECT_TRUE(audit.neighbours[0].across_parts && audit.neighbours[0].conflicting);
  EXPECT_EQ(audit.neighbours[1].pair.second, 1u);
  EXPECT_FALSE(audit.neighbours[1].across_parts || audit.neighbours[1].conflicting);
  EXPECT_NE(audit_text(audit, dataset, *dataset.official).find("near features under net (1 across splits): 2"),
            std::string::npos);
  const Json json = audit_json(audit, dataset, *dataset.official);
  EXPECT_EQ(json["neighbours"]["pairs"][0]["ids"], Json({"c.png", "d.png"}));
}

TEST(Audit, FindsNothingInSoundData) {
  MiniTree tree;
  for (const char* name : {"a", "b", "c"}) tree.file(std::string(name) + ".png", kPng + name);
  tree.file("t.csv", "path,label,split\na.png,joy,train\nb.png,fear,val\nc.png,joy,test\n");
  Silent log;
  const Dataset dataset = open_data_path(tree / "t.csv", log);
  const Audit audit = audit_files(dataset, *dataset.official, {.log = log});
  EXPECT_FALSE(has_findings(audit));
  EXPECT_NE(audit_text(audit, dataset, *dataset.official).find("nothing found"), std::string::npos);
}

TEST(Export, ReadsBackAsTheSameDataSet) {
  MiniTree tree;
  tree.images({"a,1.jpg", "b.jpg"})
      .file("t.csv",
            "path,label,split,topic,score,votes:x,votes:y,labels:p\n\"a,1.jpg\",u,train,guns,0.1,1,2,1\nb.jpg,v,test,"
            "guns,,0,3,\n");
  Silent log;
  const Dataset before = open_data_path(tree / "t.csv", log);
  for (const char* format : {"csv", "jsonl"}) {
    tree.file(std::string("e.") + format, export_table(before, &*before.official, parse_export_format(format)));
    const Dataset after = open_data_path(tree / (std::string("e.") + format), log);
    EXPECT_EQ(after.ids, before.ids);
    EXPECT_EQ(after.attributes, before.attributes);
    EXPECT_EQ(after.official->parts(), before.official->parts());
    EXPECT_EQ(test::class_names(after.target("label")), test::class_names(before.target("label")));
    EXPECT_TRUE(std::ranges::equal(after.target("votes").rows(), before.target("votes").rows()));
    EXPECT_TRUE(std::ranges::equal(after.target("labels").multi_label(), before.target("labels").multi_label()));
    EXPECT_EQ(after.target("score").rows()[0], 0.1);
    EXPECT_FALSE(after.target("score").known(1));
  }
}

TEST(Export, WritesFeaturesAsLibsvmAndNpyAndLeavesOutUnreadableImages) {
  test::ScratchDir folder;
  Dataset dataset;
  dataset.ids = {"a.jpg", "b,1.jpg", "c.jpg"};
  const Targets targets = Targets::from_labels(Names{"y", "x", "y"});
  const std::vector<float> rows{0.1F, 0, -2, 1, 2, 3};
  const FeaturesOfItem features = [&](std::uint32_t item) {
    return item == 2 ? std::span<const float>{} : std::span(rows).subspan(item * 3, 3);
  };
  const std::vector<std::uint32_t> items{0, 1, 2};
  EXPECT_EQ(export_libsvm(folder.path(), targets, Part::train, items, features), 2u);
  EXPECT_EQ(read_text_file(folder / "train.libsvm"), "1 1:0.1 3:-2\n0 1:1 2:2 3:3\n");
  EXPECT_EQ(export_npy(folder.path(), dataset, targets, Part::test, items, 3, features), 2u);
  const NpyArray x = NpyArray::open(folder / "X_test.npy"), y = NpyArray::open(folder / "y_test.npy");
  EXPECT_EQ(x.shape(), (std::vector<std::uint64_t>{2, 3}));
  EXPECT_TRUE(std::equal(rows.begin(), rows.end(), x.as<float>().begin()));
  EXPECT_EQ(y.to_doubles(), (std::vector<double>{1, 0}));
  EXPECT_EQ(read_text_file(folder / "ids_test.csv"), "id\na.jpg\n\"b,1.jpg\"\n");
  const Targets votes = Targets::from_distribution({1, 2, 1, 0, 1, 1}, {"x", "y"});
  EXPECT_EQ(test::error_of([&] { export_libsvm(folder.path(), votes, Part::train, items, features); }).kind(),
            ErrorKind::usage);
}

}  // namespace
}  // namespace vise::datasets
