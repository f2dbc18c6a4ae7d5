// The verbs about results, as a user runs them: report, compare, explain, verify, list results.
#include "base/json.h"
#include "base/text.h"
#include "tests/program/photos.h"

namespace vise {
namespace {

using test::Outcome;
using test::Program;
using test::read_text;

class Results : public testing::Test {
 protected:
  Results() { test::photos(program_, 20); }

  void run(const std::string& out, std::initializer_list<std::string> more) {
    std::vector<std::string> words{"run", "--data", "photos", "--out", out};
    words.insert(words.end(), more);
    const Outcome ran = program_.run(words);
    ASSERT_EQ(ran.exit_code, 0) << ran.err;
  }

  Program program_;
};

TEST_F(Results, OfTwoRunsAreReportedAndComparedAsOneTable) {
  run("a", {"--backbone", "colour-histogram"});
  run("b", {"--backbone", "image-metadata"});
  const Outcome merged = program_.run({"report", "a", "b", "--baseline", "image-metadata", "--out", "m", "--json"});
  ASSERT_EQ(merged.exit_code, 0) << merged.err;
  const Json table = parse_json(merged.out, "stdout");
  ASSERT_EQ(table["sections"].size(), 1u);
  EXPECT_EQ(table["sections"][0]["rows"].size(), 2u);
  for (const char* file : {"table.md", "table.csv", "table.tex", "report.html"})
    EXPECT_GT(read_text(program_ / "m" / file).size(), 100u) << file;
  const Outcome compared = program_.run({"compare", "a:colour-histogram", "b:image-metadata"});
  EXPECT_EQ(compared.exit_code, 0) << compared.err;
  EXPECT_CONTAINS(compared.out, "vs image-metadata");
  const Outcome listed = program_.run({"list", "results", ".", "--json"});
  EXPECT_EQ(parse_json(listed.out, "stdout").size(), 2u);
}

TEST_F(Results, OfDifferentQuestionsAreNotCompared) {
  run("a", {"--backbone", "colour-histogram"});
  write_file_atomically(program_ / "other/warm.csv", "path,warm\n");
  std::string warm = "path,warm\n";
  for (int i = 0; i < 20; ++i) warm += fmt::format("../photos/calm/{}.png,{}.5\n", i, i);
  write_file_atomically(program_ / "other/warm.csv", warm);
  ASSERT_EQ(program_.run({"run", "--data", "other/warm.csv", "--backbone", "colour-histogram", "--out", "b"}).exit_code,
            0);
  const Outcome compared = program_.run({"compare", "a", "b"});
  EXPECT_EQ(compared.exit_code, 2);
  EXPECT_CONTAINS(compared.err, "no task and target in common");
}

TEST_F(Results, AreExplainedOnceForAllSeeds) {
  run("a", {"--backbone", "colour-histogram", "--probe", "logreg", "--probe", "knn", "--seeds", "3"});
  const Outcome said = program_.run({"explain", "a:colour-histogram/logreg", "a:colour-histogram/knn"});
  ASSERT_EQ(said.exit_code, 0) << said.err;
  EXPECT_CONTAINS(said.out, "another classifier");
  EXPECT_EQ(split(said.out, '\n').size() > 8, true);
  std::size_t repeats = 0;
  for (const std::string& line : split(said.out, '\n')) repeats += line == "  as above";
  EXPECT_EQ(repeats, 2u) << said.out;
}

TEST_F(Results, ThatWereChangedAreFoundOut) {
  run("a", {"--backbone", "colour-histogram"});
  const Outcome sound = program_.run({"verify", "a"});
  EXPECT_EQ(sound.exit_code, 0) << sound.out;
  EXPECT_CONTAINS(sound.out, "1 cell(s) fitted again, 1 of them with the same scores to the last bit");
  std::string text = read_text(program_ / "a/results.jsonl");
  const std::string key = "\"accuracy\":";
  const auto at = text.find(key) + key.size();
  text.replace(at, text.find_first_of(",}", at) - at, "0.123");
  write_file_atomically(program_ / "a/results.jsonl", text);
  const Outcome changed = program_.run({"verify", "a"});
  EXPECT_EQ(changed.exit_code, 5);
  EXPECT_CONTAINS(changed.out, "accuracy is recorded as 0.123, recomputed");
}

TEST_F(Results, StandBesidePublishedNumbers) {
  write_file_atomically(
      program_ / "paper.yaml",
      "- {task: photos, backbone: colour-histogram, metric: accuracy, protocol: fine-tune, value: 51.5}\n"
      "- {task: photos, backbone: colour-histogram, metric: accuracy, value: null}\n");
  const Outcome ran = program_.run(
      {"run", "--data", "photos", "--out", "a", "--backbone", "colour-histogram", "--published", "paper.yaml"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_CONTAINS(ran.out, "published");
  EXPECT_CONTAINS(ran.out, "protocol there: fine-tune, here: logreg");
  const Outcome bad = program_.run(
      {"run", "--data", "photos", "--out", "b", "--backbone", "colour-histogram", "--published", "gone.yaml"});
  EXPECT_EQ(bad.exit_code, 3);
}

TEST_F(Results, OfFoldsEndWithTheirMean) {
  write_file_atomically(
      program_ / "moods.yaml",
      "data: photos\nsplit: {kind: folds, folds: 3}\nbackbones: [colour-histogram, image-metadata]\n");
  const Outcome ran = program_.run({"run", "--task", "moods.yaml", "--out", "a"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_CONTAINS(ran.out, "accuracy in %: mean over the test sets of moods.1 to moods.3 (40 images)");
  EXPECT_CONTAINS(ran.out, "| folds |");
}

}  // namespace
}  // namespace vise
