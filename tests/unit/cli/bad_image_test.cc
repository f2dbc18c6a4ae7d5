// --on-bad-image and --max-pixels through whole runs: what can't be read is named, or left out of every row.
#include <fmt/format.h>

#include "base/csv.h"
#include "extract/images/parity_images.h"
#include "tests/unit/cli/program.h"

namespace vise::cli {
namespace {

using test::contains;
using test::run_program;

// 24 pictures of two classes, one of them cut short and in the test split.
class BadImage : public testing::Test {
 protected:
  BadImage() {
    const auto file = std::as_bytes(images::parity_images().front().file);
    std::string table = "path,label,split\n";
    for (int i = 0; i < 24; ++i) {
      const std::string name = fmt::format("p{}.jpg", i);
      // Bytes after the end of a JPEG are ignored, and make each file's content its own.
      std::string bytes(reinterpret_cast<const char*>(file.data()), file.size());
      bytes = i == 23 ? bytes.substr(0, bytes.size() - 9) : bytes + std::to_string(i);
      write_file_atomically(dir_ / name, bytes);
      table += name + (i % 2 ? ",odd," : ",even,") + (i < 12 ? "train" : i < 16 ? "val" : "test") + "\n";
    }
    write_file_atomically(dir_ / "table.csv", table);
  }

  test::Ran run(std::vector<std::string> more) const {
    std::vector<std::string> words{"run",
                                   "--data",
                                   (dir_ / "table.csv").string(),
                                   "--backbone",
                                   "colour-histogram",
                                   "--backbone",
                                   "random-resnet18",
                                   "--cache",
                                   (dir_ / "cache").string(),
                                   "--out",
                                   (dir_ / "out").string()};
    words.insert(words.end(), more.begin(), more.end());
    return run_program(words);
  }

  const test::ScratchDir dir_;
};

TEST_F(BadImage, EndsTheRunAndIsNamed) {
  const test::Ran ran = run({});
  EXPECT_EQ(ran.code, 4);
  EXPECT_TRUE(contains(ran.err, "p23.jpg")) << ran.err;
  EXPECT_TRUE(contains(ran.err, "cut short")) << ran.err;
  EXPECT_TRUE(contains(ran.err, "--on-bad-image skip")) << ran.err;
  EXPECT_FALSE(std::filesystem::exists(dir_ / "out/results.jsonl"));
}

TEST_F(BadImage, AllAreNamedInOneGo) {
  for (const char* const name : {"p3.jpg", "p17.jpg"})
    write_file_atomically(dir_ / name, "no picture: " + std::string(name));
  const test::Ran ran = run({});
  EXPECT_EQ(ran.code, 4);
  for (const char* const name : {"3 images can't be read", "p3.jpg", "p17.jpg", "p23.jpg", "--on-bad-image skip"})
    EXPECT_TRUE(contains(ran.err, name)) << ran.err;
}

TEST_F(BadImage, CopiesAreNamedToo) {
  for (const char* const name : {"p3.jpg", "p17.jpg"}) write_file_atomically(dir_ / name, "one and the same");
  const test::Ran ran = run({});
  for (const char* const name : {"3 images can't be read", "p3.jpg", "p17.jpg", "p23.jpg"})
    EXPECT_TRUE(contains(ran.err, name)) << ran.err;
}

TEST_F(BadImage, AllThatAnEarlierRunSkippedAreNamed) {
  for (const char* const name : {"p3.jpg", "p17.jpg"}) write_file_atomically(dir_ / name, "one and the same");
  ASSERT_EQ(run({"--on-bad-image", "skip"}).code, 0);
  std::filesystem::remove_all(dir_ / "out");
  const test::Ran ran = run({});
  EXPECT_EQ(ran.code, 4);
  for (const char* const name : {"3 images can't be read", "p3.jpg", "p17.jpg", "p23.jpg", "--on-bad-image skip"})
    EXPECT_TRUE(contains(ran.err, name)) << ran.err;
}

TEST_F(BadImage, IsLeftOutOfEveryRowAndRecordedWithReasonAndSplit) {
  const test::Ran ran = run({"--on-bad-image", "skip"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_TRUE(contains(ran.out, "train 12, val 4, test 7")) << ran.out;
  EXPECT_TRUE(contains(ran.out, "p23.jpg: the JPEG is cut short")) << ran.out;
  int results = 0;
  for (const std::string& line : split(read_text_file(dir_ / "out/results.jsonl"), '\n')) {
    if (line.empty() || contains(line, "vise-eval/results")) continue;
    const Json result = parse_json(line, "results.jsonl");
    EXPECT_EQ(result["split"]["test"], 7);
    EXPECT_TRUE(contains(result["notes"].dump(), "p23.jpg")) << result["notes"];
    const std::string scores = result["scores_file"];
    const CsvTable rows =
        CsvTable::parse(read_text_file(dir_ / "out" / (scores.substr(0, scores.size() - 4) + ".csv")), "scores");
    EXPECT_EQ(rows.rows(), 7U);
    ++results;
  }
  EXPECT_EQ(results, 2);
  const CsvTable skipped =
      CsvTable::parse(read_text_file(dir_ / "out/skipped" / dir_.path().filename() / "table.csv"), "skipped");
  ASSERT_EQ(skipped.rows(), 1U);
  EXPECT_EQ(skipped.cell(0, skipped.column("path")), "p23.jpg");
  EXPECT_EQ(skipped.cell(0, skipped.column("split")), "test");
  EXPECT_EQ(skipped.cell(0, skipped.column("reason")), "the JPEG is cut short");
}

TEST_F(BadImage, IsOneOfTooManyPixelsToo) {
  const test::Ran ran = run({"--max-pixels", "100", "--on-bad-image", "fail"});
  EXPECT_EQ(ran.code, 4);
  EXPECT_TRUE(contains(ran.err, "--max-pixels")) << ran.err;
}

}  // namespace
}  // namespace vise::cli
