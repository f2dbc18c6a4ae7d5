#include "datasets/audit.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "datasets/export.h"
#include "tests/unit/datasets/trees.h"

namespace vise {
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

}  // namespace
}  // namespace vise
