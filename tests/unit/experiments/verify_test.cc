#include "experiments/verify.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>

#include "base/csv.h"
#include "base/error.h"
#include "base/npy.h"
#include "experiments/cell_key.h"
#include "experiments/explain.h"
#include "experiments/scores_file.h"
#include "experiments/seal.h"
#include "probes/parse_probe.h"
#include "tests/unit/experiments/drawn_data.h"

namespace vise::experiments {
namespace {

class VerifyTest : public testing::Test {
 protected:
  void SetUp() override {
    test::register_everything();
    request_ = test::drawn_request(dir_ / "d", dir_ / "run");
    request_.subsets = {TrainSubset{}, {2, 1}};
    results_ = run(request_, context()).results;
  }
  Context context() { return Context{log_, {}, 1}; }
  Verification check() {
    VerifyOptions options;
    options.extract = request_.extract;
    return verify(dir_ / "run", options, context());
  }
  Path scores(std::size_t i) const { return dir_ / "run" / results_[i].scores_file; }

  test::ScratchDir dir_;
  Silent log_;
  RunRequest request_;
  std::vector<Result> results_;
};

TEST_F(VerifyTest, UntouchedRun_HasNoDifference) {
  const Verification v = check();
  EXPECT_TRUE(v.differences.empty()) << v.differences.front();
  EXPECT_EQ(v.results, 2u);
  EXPECT_GT(v.metrics, 10u);
  EXPECT_EQ(v.splits, 2u);
  EXPECT_EQ(v.refitted, 2u);
  EXPECT_EQ(v.identical, 2u);
}

TEST_F(VerifyTest, TamperedScore_IsNamed) {
  std::vector<double> values = NpyArray::open(scores(0)).to_doubles();
  for (double& v : values) v = -v;
  write_npy(scores(0), std::span<const double>(values), {values.size() / 2, 2});
  const Verification v = check();
  ASSERT_FALSE(v.differences.empty());
  EXPECT_NE(v.differences.front().find("colour-histogram"), std::string::npos);
  EXPECT_NE(v.differences.front().find("recomputed"), std::string::npos);
}

TEST_F(VerifyTest, ARunInAFolderThatWasChanged_SaysSoBeforeItSealsAgain) {
  const Path folder = dir_ / "run";
  write_seal(folder, seal_of(folder, Json()));
  RecordingLog calm, wary;
  warn_of_changes(folder, calm);
  EXPECT_TRUE(calm.warnings().empty());
  std::string text = read_text_file(folder / "results.jsonl");
  text.replace(text.find("\"chosen\":{\"C\":"), 14, "\"chosen\":{\"C\":7");
  write_file_atomically(folder / "results.jsonl", text);
  run(request_, Context{wary, {}, 1});
  ASSERT_FALSE(wary.warnings().empty());
  EXPECT_NE(wary.warnings().front().find("not as it was sealed: results.jsonl"), std::string::npos)
      << wary.warnings().front();
}

// Whatever file it is in, and the seal's own.
TEST_F(VerifyTest, AnyFlippedByteOfASealedFolder_IsSeen) {
  const Path folder = dir_ / "run";
  write_file_atomically(folder / "table.md", "| a | 75.0 |\n");
  Seal seal = seal_of(folder, Json{{"files", {"table.md", "report.html"}}});
  write_file_atomically(folder / "report.html", "<p>" + seal.digest + "</p>\n");
  write_seal(folder, seal);
  VerifyOptions options;
  options.refit = 0;
  EXPECT_TRUE(verify(folder, options, context()).differences.empty());
  std::vector<Path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) files.push_back(entry.path());
  std::ranges::sort(files);
  RandomStream random("flipped bytes", 0);
  for (int flip = 0; flip < 200; ++flip) {
    const Path& file = files[random.below(files.size())];
    std::vector<std::byte> bytes = read_file(file);
    const std::size_t at = random.below(bytes.size());
    const std::byte sound = bytes[at];
    bytes[at] ^= std::byte(1 << random.below(8));
    write_file_atomically(file, std::span<const std::byte>(bytes));
    EXPECT_FALSE(verify(folder, options, context()).differences.empty()) << file << " byte " << at;
    bytes[at] = sound;
    write_file_atomically(file, std::span<const std::byte>(bytes));
  }
  std::filesystem::remove(folder / "table.md");
  write_file_atomically(folder / "scores/other.csv", "id\n");
  const std::vector<std::string> differences = verify(folder, options, context()).differences;
  ASSERT_EQ(differences.size(), 2u);
  EXPECT_EQ(differences[0], "table.md was sealed and is gone");
  EXPECT_EQ(differences[1], "scores/other.csv came after the seal");
}

// Without a seal: a key is of what the result says.
TEST_F(VerifyTest, EditedStatements_AreSeenByKeyAndByFittingAgain) {
  for (const auto& [what, with, words] :
       {std::tuple("\"selected_on\":\"", "\"selected_on\":\"test and ", "selection.selected_on is recorded as"),
        {"\"task\":\"d/moods\"", "\"task\":\"d/moodz\"", "its key isn't that of its task"}}) {
    const Path file = dir_ / "run/results.jsonl";
    const std::string sound = read_text_file(file);
    std::string edited = sound;
    edited.replace(edited.find(what), std::string(what).size(), with);
    write_file_atomically(file, edited);
    std::string all;
    for (const std::string& difference : check().differences) all += difference + "\n";
    EXPECT_NE(all.find(words), std::string::npos) << all;
    write_file_atomically(file, sound);
  }
}

// So small a change that no metric moves, but one that no machine makes.
TEST_F(VerifyTest, OneTamperedScore_IsNamedByFittingAgain) {
  std::vector<double> values = NpyArray::open(scores(0)).to_doubles();
  values.front() += values.front() > 0 ? 0.01 : -0.01;
  write_npy(scores(0), std::span<const double>(values), {values.size() / 2, 2});
  std::string all;
  for (const std::string& difference : check().differences) all += difference + "\n";
  EXPECT_NE(all.find("fitted again its scores differ by up to 0.01"), std::string::npos) << all;
}

TEST_F(VerifyTest, TamperedMetric_IsNamed) {
  std::string lines = read_text_file(dir_ / "run/results.jsonl");
  const auto at = lines.find("\"accuracy\":") + 11;
  lines.replace(at, lines.find_first_of(",}", at) - at, "0.999");
  write_file_atomically(dir_ / "run/results.jsonl", lines);
  EXPECT_NE(check().differences.front().find("accuracy is recorded as 0.999"), std::string::npos);
}

TEST_F(VerifyTest, TamperedSplit_IsNamed) {
  Path file = dir_ / "run/splits/d/moods.csv";
  std::string csv = read_text_file(file);
  csv.replace(csv.find(",test"), 5, ",train");
  write_file_atomically(file, csv);
  EXPECT_NE(check().differences.front().find("has the hash"), std::string::npos);
}

TEST_F(VerifyTest, MissingScores_AreADifference) {
  std::filesystem::remove(scores(0));
  EXPECT_FALSE(check().differences.empty());
}

TEST_F(VerifyTest, ColdCache_IsANoteAndMetricsAreCheckedAllTheSame) {
  request_.extract.cache = dir_ / "other-cache";
  const Verification v = check();
  EXPECT_TRUE(v.differences.empty());
  EXPECT_EQ(v.refitted, 0u);
  EXPECT_GT(v.metrics, 10u);
  ASSERT_FALSE(v.notes.empty());
  EXPECT_NE(v.notes.front().find("not in the cache"), std::string::npos);
}

TEST_F(VerifyTest, SavedScores_ReadBackAsTheyWere) {
  const datasets::Targets labels = datasets::Targets::from_multi_label({1, 0, -1, 1, 1, 0}, {"a", "b", "c"});
  const probes::Scores given{2, 3, {0.1, -2, 3, 1e-9, 5, 6}};
  Result result;
  result.class_names = labels.names();
  result.target_kind = datasets::TargetKind::multi_label;
  const datasets::Targets votes = datasets::Targets::from_distribution({1, 0, 2, 0, 0, 3}, {"a", "b", "c"});
  result.scores_file = write_scores(dir_.path(), "k", {{"x, y.png", "z.png"}, labels, given, votes});
  const SavedScores saved = read_scores(dir_.path(), result);
  EXPECT_EQ(saved.ids, (std::vector<std::string>{"x, y.png", "z.png"}));
  EXPECT_EQ(saved.scores.values, given.values);
  EXPECT_TRUE(std::ranges::equal(saved.targets.multi_label(), labels.multi_label()));
  EXPECT_TRUE(std::ranges::equal(saved.votes->rows(), votes.rows()));
}

TEST_F(VerifyTest, Explain_FindsWhatWasChanged) {
  RunRequest other = request_;
  other.subsets = {TrainSubset{}};
  other.probes = {"logreg,grid=0.01:100:5"};
  const Result changed = run(other, context()).results.front();
  const std::vector<Cause> causes = explain(results_[0], changed);
  ASSERT_FALSE(causes.empty());
  EXPECT_EQ(causes.front().what, "probe");
  EXPECT_EQ(causes.front().a, "logreg,grid=0.01:100:3");
  EXPECT_TRUE(explain(results_[0], results_[0]).empty());
}

TEST(ExplainTest, Weights_ComeBeforeTransformSplitProbeAndVersion) {
  Result a, b;
  a.features = {{"weights", "aa"}, {"transform", {{"resize", 256}, {"crop", 224}}}};
  b.features = {{"weights", "bb"}, {"transform", {{"resize", 232}, {"crop", 224}}}};
  a.split_hash = "1", b.split_hash = "2";
  a.cell.probe = "logreg", b.cell.probe = "knn";
  a.version = "0.1", b.version = "0.2";
  std::vector<std::string> order;
  for (const Cause& cause : explain(a, b)) order.push_back(cause.what);
  EXPECT_EQ(order, (std::vector<std::string>{"weights (SHA-256)", "transform: resize", "split", "probe",
                                             "version of vise-eval"}));
}

// Keys are made of a probe's identity, in 0.1's words, which a result doesn't hold: it describes the probe in today's.
TEST(KeyOf, IsFoundFromWhatAResultDescribes) {
  test::register_everything();
  Result result;
  result.status = CellStatus::ok;
  result.cell = {"emotion", "label", "mine", "finetune,lr=0.02", "layer4", "avg", 1, 0, 1, ""};
  result.data_hash = "d", result.targets_hash = "t", result.version = "0.2.0";
  result.features = Json{{"engine", "torch"}};
  const auto probe = probes::parse_probe(result.cell.probe).make(1);
  ASSERT_NE(probe->identity(), probe->describe());
  const std::string features = features::FeatureKey{*result.features, 0}.str();
  result.key = cell_key(result.cell, cell_identity(result.cell, {"d", "t", features, probe->identity(), "0.2.0"}));
  result.probe_settings = probe->describe();
  EXPECT_EQ(key_of(result), result.key);
  result.probe_settings = probe->identity();  // as 0.1 wrote it
  EXPECT_EQ(key_of(result), result.key);
  Json edited = probe->describe();
  edited["lr"] = 0.5;
  result.probe_settings = edited;
  EXPECT_NE(key_of(result), result.key);
}

}  // namespace
}  // namespace vise::experiments
