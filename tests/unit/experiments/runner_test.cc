#include "experiments/runner.h"
#include "experiments/draws.h"
#include "experiments/verify.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/csv.h"
#include "base/error.h"
#include "experiments/look_ahead.h"
#include "experiments/results_file.h"
#include "experiments/study.h"
#include "experiments/task_run.h"
#include "tests/unit/experiments/drawn_data.h"

namespace vise::experiments {
namespace {

using test::drawn_request;

class RunnerTest : public testing::Test {
 protected:
  void SetUp() override { test::register_everything(); }
  RunOutcome go(const RunRequest& request) { return run(request, Context{log_, {}, 2}); }
  std::string bytes(const Path& file) { return read_text_file(dir_ / file); }

  test::ScratchDir dir_;
  RecordingLog log_;
};

std::set<std::string> ids_of(const Path& split, const std::string& part) {
  const CsvTable csv = CsvTable::parse(read_text_file(split), split.string());
  std::set<std::string> ids;
  for (std::size_t row = 0; row < csv.rows(); ++row)
    if (csv.cell(row, 1) == part) ids.insert(csv.cell(row, 0));
  return ids;
}

TEST_F(RunnerTest, Run_WritesTheSameBytes_Twice) {
  const RunOutcome a = go(drawn_request(dir_ / "d", dir_ / "a")), b = go(drawn_request(dir_ / "d", dir_ / "b"));
  ASSERT_EQ(a.results.size(), 1u);
  EXPECT_EQ(a.results[0].key, b.results[0].key);
  EXPECT_EQ(a.results[0].metrics, b.results[0].metrics);
  for (const char* suffix : {".npy", ".csv"}) {
    Path file = a.results[0].scores_file;
    file.replace_extension(suffix);
    EXPECT_EQ(bytes("a" / file), bytes("b" / file));
  }
  EXPECT_GT(a.results[0].metrics.at("accuracy").value(), 0.7);  // colour tells these classes
}

TEST_F(RunnerTest, Run_GivesTheSameScores_WhateverTheThreads) {
  RunRequest request = drawn_request(dir_ / "d", dir_ / "a");
  request.seeds = 8;
  request.subsets = {{2, 1}};
  const RunOutcome one = run(request, Context{log_, {}, 1});
  request.out = dir_ / "b";
  const RunOutcome four = run(request, Context{log_, {}, 4});
  ASSERT_EQ(one.results.size(), 8u);
  for (std::size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(one.results[i].cell, four.results[i].cell);
    EXPECT_EQ(bytes("a" / Path(one.results[i].scores_file)), bytes("b" / Path(four.results[i].scores_file)));
  }
  const std::vector<Result> written = read_results(dir_ / "b/results.jsonl");
  for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(written[i].cell, four.results[i].cell);  // in the plan's order
}

// A seed that decides nothing isn't fitted again; one that does is.
TEST_F(RunnerTest, SeedsThatDecideNothing_ShareAFit) {
  RunRequest request = drawn_request(dir_ / "d", dir_ / "a");
  request.seeds = 3;
  request.probes = {"logreg,C=1", "permuted-labels,C=1"};
  const RunOutcome all = go(request);
  ASSERT_EQ(all.results.size(), 6u);
  const auto fits = [&](const std::string& probe) {
    return std::ranges::count_if(all.results,
                                 [&](const Result& r) { return r.cell.probe == probe && r.seconds.at("fit") > 0; });
  };
  EXPECT_EQ(fits("logreg,C=1"), 1);
  EXPECT_EQ(fits("permuted-labels,C=1"), 3);
  request.out = dir_ / "b";
  request.probes = {"logreg,C=1"};
  request.seeds = 1;
  const Result alone = go(request).results.at(0);
  for (const Result& r : all.results) {
    if (r.cell.probe != "logreg,C=1") continue;
    EXPECT_EQ(r.metrics, alone.metrics);
    EXPECT_EQ(bytes("a" / Path(r.scores_file)), bytes("b" / Path(alone.scores_file)));
  }
  std::set<std::string> keys;
  for (const Result& r : all.results) keys.insert(r.key);
  EXPECT_EQ(keys.size(), 6u);
}

TEST_F(RunnerTest, SecondRun_FitsNothing) {
  const RunRequest request = drawn_request(dir_ / "d", dir_ / "a");
  go(request);
  const std::string before = bytes("a/results.jsonl");
  const RunOutcome again = go(request);
  EXPECT_EQ(again.fitted, 0u);
  EXPECT_EQ(again.reused, 1u);
  EXPECT_EQ(bytes("a/results.jsonl"), before);
  RunRequest always = request;
  always.overwrite = Overwrite::always;
  EXPECT_EQ(go(always).fitted, 1u);
}

TEST_F(RunnerTest, Run_GoesOnWhereItWasStopped) {
  RunRequest request = drawn_request(dir_ / "d", dir_ / "a");
  request.seeds = 6;
  const std::vector<Result> whole = go(request).results;
  // A kill leaves the first lines and half of the third result.
  std::string lines = bytes("a/results.jsonl");
  std::size_t end = 0;
  for (int line = 0; line < 3; ++line) end = lines.find('\n', end) + 1;
  write_file_atomically(dir_ / "a/results.jsonl", lines.substr(0, end + 40));
  const RunOutcome resumed = go(request);
  EXPECT_EQ(resumed.reused, 2u);
  EXPECT_EQ(resumed.fitted, 4u);
  for (std::size_t i = 0; i < whole.size(); ++i) EXPECT_EQ(resumed.results[i].metrics, whole[i].metrics);
}

TEST_F(RunnerTest, Stop_KeepsWhatWasFinished) {
  std::stop_source stop;
  stop.request_stop();
  const RunRequest request = drawn_request(dir_ / "d", dir_ / "a");
  try {
    run(request, Context{log_, stop.get_token(), 1});
    FAIL() << "a stopped run went on";
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::interrupted);
  }
  EXPECT_TRUE(go(request).results.front().ok());
}

TEST_F(RunnerTest, FailedCell_IsRecordedAndTheRestGoesOn) {
  RunRequest request = drawn_request(dir_ / "d", dir_ / "a");
  request.probes = {"liblinear,solver=11", "logreg"};  // solver 11 fits values, not classes
  const RunOutcome outcome = go(request);
  ASSERT_EQ(outcome.results.size(), 2u);
  EXPECT_FALSE(outcome.results[0].ok());
  EXPECT_NE(outcome.results[0].error, "");
  EXPECT_TRUE(outcome.results[1].ok());
  EXPECT_EQ(outcome.failed, 1u);
  EXPECT_EQ(read_results(dir_ / "a/results.jsonl").size(), 2u);
}

TEST_F(RunnerTest, MissingWeights_FailTheirRowsAlone) {
  RunRequest request = drawn_request(dir_ / "d", dir_ / "a");
  request.backbones = {"vise-250m", "colour-histogram"};
  const RunOutcome outcome = go(request);
  ASSERT_EQ(outcome.results.size(), 2u);
  EXPECT_EQ(outcome.results[0].cell.backbone, "vise-250m");
  EXPECT_FALSE(outcome.results[0].ok());
  EXPECT_NE(outcome.results[0].error.find("no weights for vise-250m"), std::string::npos);
  EXPECT_EQ(outcome.results[0].error.find('\n'), std::string::npos);
  EXPECT_TRUE(outcome.results[1].ok());
  EXPECT_FALSE(log_.warnings().empty());
}

TEST_F(RunnerTest, BrokenWeights_FailTheirRowsAlone) {
  write_file_atomically(dir_ / "page.pth", "<!DOCTYPE html> not found");
  RunRequest request = drawn_request(dir_ / "d", dir_ / "a");
  request.backbones = {"colour-histogram", fmt::format("mine={},arch=resnet18", (dir_ / "page.pth").string())};
  const RunOutcome outcome = go(request);
  EXPECT_TRUE(outcome.results[0].ok());
  EXPECT_FALSE(outcome.results[1].ok());
}

TEST_F(RunnerTest, OnlyMissingWeights_EndTheRun) {
  RunRequest request = drawn_request(dir_ / "d", dir_ / "a");
  request.backbones = {"vise-250m"};
  try {
    go(request);
    FAIL() << "nothing could be measured";
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::missing);
  }
}

TEST_F(RunnerTest, MissingTask_FailsItsCellsAlone) {
  RunRequest request = drawn_request(dir_ / "d", dir_ / "a");
  request.tasks.push_back(TaskLibrary().find("emotion"));
  request.data_roots = {dir_ / "nowhere"};
  const RunOutcome outcome = go(request);
  ASSERT_EQ(outcome.results.size(), 2u);
  EXPECT_TRUE(outcome.results[0].ok());
  EXPECT_EQ(outcome.results[1].cell.task, "emotion");
  EXPECT_FALSE(outcome.results[1].ok());
  EXPECT_EQ(outcome.failed, 1u);
}

TEST_F(RunnerTest, Tasks_HaveTheirOwnBaselines) {
  test::write_drawn_data(dir_ / "e");
  RunRequest request = drawn_request(dir_ / "d", dir_ / "a");
  request.tasks.push_back(task_for_data(dir_ / "e/moods.csv", "label"));
  request.backbones.clear();
  request.tasks[0].backbones = {"colour-histogram", "random-resnet18"};
  request.tasks[1].backbones = {"colour-histogram", "random-resnet18"};
  request.tasks[1].baseline = "random-resnet18";
  const RunOutcome outcome = go(request);
  EXPECT_EQ(outcome.baselines.at("d/moods"), "colour-histogram");
  EXPECT_EQ(outcome.baselines.at("e/moods"), "random-resnet18");
}

// The choice on val must not move when test changes: labels of test are exchanged, and everything but the metrics
// stays.
TEST_F(RunnerTest, Choice_NeverSeesTest) {
  const Result honest = go(drawn_request(dir_ / "d", dir_ / "a")).results.front();
  std::string csv = read_text_file(dir_ / "d/moods.csv");
  for (std::size_t at = csv.find(",test,"); at != std::string::npos; at = csv.find(",test,", at + 1)) {
    const std::string label = csv.substr(at - 4, 4);
    csv.replace(at - 4, 4, label == "warm" ? "cold" : "warm");
  }
  write_file_atomically(dir_ / "d/moods.csv", csv);
  const Result exchanged = go(drawn_request(dir_ / "d", dir_ / "b")).results.front();
  EXPECT_NE(exchanged.key, honest.key);
  EXPECT_EQ(exchanged.selection.chosen, honest.selection.chosen);
  EXPECT_EQ(exchanged.convergence.objective, honest.convergence.objective);
  EXPECT_EQ(exchanged.calibration.temperature, honest.calibration.temperature);
  EXPECT_EQ(bytes("a" / Path(honest.scores_file)), bytes("b" / Path(exchanged.scores_file)));
  EXPECT_NEAR(*exchanged.metrics.at("accuracy"), 1 - *honest.metrics.at("accuracy"), 1e-12);
}

TEST_F(RunnerTest, Samples_HoldNoImageOfValOrTest) {
  RunRequest request = drawn_request(dir_ / "d", dir_ / "a");
  request.subsets = {{1, 1}, {4, 1}, {0, 0.25}, TrainSubset{}};
  request.seeds = 5;
  const RunOutcome outcome = go(request);
  const Path splits = dir_ / "a/splits/d";
  const auto train = ids_of(splits / "moods.csv", "train");
  std::set<std::string> held_out = ids_of(splits / "moods.csv", "val");
  held_out.merge(ids_of(splits / "moods.csv", "test"));
  ASSERT_EQ(train.size(), 24u);
  std::size_t sampled = 0;
  for (const Result& result : outcome.results) {
    ASSERT_TRUE(result.ok()) << result.error;
    if (result.sample_hash.empty()) continue;
    ++sampled;
    const Path file = dir_ / "a" / split_file(result.cell, true);
    const auto fitted_on = ids_of(file, "train");
    EXPECT_EQ(fitted_on.size(), result.sizes.train);
    EXPECT_EQ(fitted_on.size(), result.cell.shots ? 2u * static_cast<std::size_t>(result.cell.shots) : 6u);
    EXPECT_TRUE(ids_of(file, "val").empty());
    for (const std::string& id : fitted_on) EXPECT_TRUE(train.contains(id) && !held_out.contains(id)) << id;
  }
  EXPECT_EQ(sampled, 15u);
}

TEST_F(RunnerTest, FewShots_ChooseInsideTheSample) {
  RunRequest request = drawn_request(dir_ / "d", dir_ / "a");
  request.subsets = {{1, 1}, {4, 1}};
  const RunOutcome outcome = go(request);
  EXPECT_EQ(outcome.results[0].selection.selected_on, "nothing to choose");
  EXPECT_EQ(outcome.results[1].selection.selected_on, "4-fold cross-validation on train");
  EXPECT_FALSE(outcome.results[1].selection.refit_on_val);
}

TEST_F(RunnerTest, Where_KeepsEveryItemInItsPart) {
  RunRequest request = drawn_request(dir_ / "d", dir_ / "a");
  request.tasks[0].condition = "topic=land";
  const Result result = go(request).results.front();
  EXPECT_EQ(result.cell.where, "topic=land");
  EXPECT_LT(result.sizes.test, 12u);
  const auto test = ids_of(dir_ / "a" / split_file(result.cell, false), "test");
  request.tasks[0].condition.clear();
  go(request);
  const auto all = ids_of(dir_ / "a/splits/d/moods.csv", "test");
  for (const std::string& id : test) EXPECT_TRUE(all.contains(id));
}

TEST_F(RunnerTest, Plan_GivesTheSameCellsAgain) {
  RunRequest request = drawn_request(dir_ / "d", dir_ / "a");
  request.backbones.push_back("random-resnet18");
  request.baseline = "random-resnet18";
  request.subsets = {{2, 1}, {0, 0.5}, TrainSubset{}};
  request.seeds = 2;
  const RunOutcome first = go(request);
  RunRequest again = read_study(dir_ / "a/plan.yaml");
  again.extract.cache = request.extract.cache;
  again.out = dir_ / "a";
  const RunOutcome second = go(again);
  EXPECT_EQ(second.fitted, 0u);
  EXPECT_EQ(second.baselines, first.baselines);
  ASSERT_EQ(second.results.size(), first.results.size());
  std::set<std::string> keys, keys_again;
  for (const Result& result : first.results) keys.insert(result.key);
  for (const Result& result : second.results) keys_again.insert(result.key);
  EXPECT_EQ(keys, keys_again);
}

TEST_F(RunnerTest, DryRun_SaysWhatIsKnownAndWritesNothing) {
  RunRequest request = drawn_request(dir_ / "d", dir_ / "a");
  request.backbones.push_back("vise-250m");
  const Context context{log_, {}, 1};
  LookAhead ahead = look_ahead(request, context);
  EXPECT_EQ(ahead.open, 1u);
  EXPECT_EQ(ahead.failing, 1u);
  EXPECT_EQ(ahead.images, 48u);
  EXPECT_FALSE(std::filesystem::exists(dir_ / "a"));
  EXPECT_FALSE(ahead.fit_seconds.has_value());
  go(request);
  ahead = look_ahead(request, context);
  EXPECT_EQ(ahead.known + ahead.open, 1u);
  request.probes.push_back("ridge");
  request.overwrite = Overwrite::always;
  ahead = look_ahead(request, context);
  EXPECT_EQ(ahead.open, 2u);
  EXPECT_EQ(ahead.failing, 2u);
}

TEST_F(RunnerTest, BackboneNamedTwice_IsRefused) {
  RunRequest request = drawn_request(dir_ / "d", dir_ / "a");
  request.backbones = {"colour-histogram", "colour-histogram"};
  EXPECT_THROW(go(request), Error);
}

// A folder that was begun by 0.1 keeps the split that 0.1 drew; a new one doesn't.
TEST(Runner, KeepsTheDrawsOfAnEarlierProgramInItsFolder) {
  test::register_everything();
  const test::ScratchDir dir;
  Silent log;
  const Context context{log, {}, 1};
  RunRequest request = test::drawn_request(dir / "d", dir / "old");
  request.tasks[0].split.kind = "stratified";
  RunRequest earlier = request;
  earlier.tasks[0].split.by_name = true;
  const Result old = run(earlier, context).results.at(0);
  EXPECT_EQ(old.draw, kDrawnByName);
  const RunOutcome again = run(request, context);
  EXPECT_EQ(again.reused, 1u);
  EXPECT_EQ(again.results[0].split_hash, old.split_hash);
  VerifyOptions options;
  options.extract = request.extract;
  EXPECT_TRUE(verify(dir / "old", options, context).differences.empty());
  request.out = dir / "new";
  const Result fresh = run(request, context).results.at(0);
  EXPECT_EQ(fresh.draw, kDrawnFromIds);
  EXPECT_NE(fresh.split_hash, old.split_hash);
}

}  // namespace
}  // namespace vise::experiments
