// Runs on a real Slurm of two nodes (./cluster): whatever happens to jobs, nodes and files, the same command ends with
// the features and the table that one process makes, to the last bit.
#include <signal.h>

#include <cstdlib>
#include <fstream>
#include <functional>

#include "base/json.h"
#include "base/log.h"
#include "base/process.h"
#include "base/text.h"
#include "tests/child.h"
#include "tests/plain_file.h"
#include "tests/program/program.h"

namespace vise::test {
namespace {

constexpr int kImages = 160;

std::string slurm(const std::vector<std::string>& words) {
  const Ended ended = run_process(words);
  EXPECT_EQ(ended.code, 0) << join(words, " ") << ": " << ended.err;
  return std::string(trim(ended.out));
}

// The process whose command line has all of these words; 0: none.
pid_t process_with(const std::vector<std::string>& words) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::int64_t pid = 0;
    if (!parse_int(entry.path().filename().string(), pid)) continue;
    std::ifstream file(entry.path() / "cmdline", std::ios::binary);
    std::string line{std::istreambuf_iterator<char>(file), {}};
    std::replace(line.begin(), line.end(), '\0', ' ');
    if (line.starts_with(VISE_BINARY_DIR "/vise-eval ") &&
        std::all_of(words.begin(), words.end(), [&](const std::string& word) { return contains(line, word); }))
      return static_cast<pid_t>(pid);
  }
  return 0;
}

class SlurmTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    program_ = std::make_unique<Program>();
    const char* const config = std::getenv("SLURM_CONF");
    if (!config) return;
    program_->set("SLURM_CONF", config);
    draw("images", kImages);
    reference_ = run_here("images", "reference");
  }
  static void TearDownTestSuite() { program_.reset(); }
  void SetUp() override {
    if (!std::getenv("SLURM_CONF")) GTEST_SKIP() << "is run by tests/slurm/cluster, which sets SLURM_CONF";
    ASSERT_EQ(reference_.exit_code, 0) << reference_.err;
  }

  static void draw(const std::string& folder, int count) {
    for (int i = 0; i < count; ++i) {
      const std::string name = fmt::format("{}/{}/{:04}.ppm", folder, i % 2 ? "calm" : "tense", i);
      write_plainly(*program_ / name, noise_picture(name, 40));
    }
  }

  static std::vector<std::string> run_words(const std::string& images, const std::string& cache,
                                            const std::string& out) {
    return {"run",
            "--data",
            (*program_ / images).string(),
            "--backbone",
            "random-resnet18,colour-histogram",
            "--baseline",
            "colour-histogram",
            "--cache",
            (*program_ / cache).string(),
            "--out",
            (*program_ / out).string()};
  }
  // In one process, its features as files beside.
  static Outcome run_here(const std::string& images, const std::string& out) {
    const Outcome outcome = program_->run(run_words(images, out + "-cache", out));
    extract(images, out + "-cache", out + "-features");
    return outcome;
  }
  static Outcome extract(const std::string& images, const std::string& cache, const std::string& to) {
    return program_->run({"extract", "--json", "--data", (*program_ / images).string(), "--backbone", "random-resnet18",
                          "--cache", (*program_ / cache).string(), "--out", (*program_ / to).string()});
  }

  static Outcome launch(const std::string& out, std::vector<std::string> more = {},
                        const std::string& images = "images", const std::string& cache = "") {
    std::vector<std::string> words = run_words(images, cache.empty() ? out + "-cache" : cache, out);
    words.insert(words.end(), {"--launcher", "slurm", "--shards", "4", "--json"});
    words.insert(words.end(), more.begin(), more.end());
    return program_->run(words);
  }
  // Of a launch without --wait.
  static Json launched(const Outcome& outcome) {
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return Json::parse(outcome.out);
  }
  static Json status(const std::string& out) {
    const Outcome outcome = program_->run({"status", (*program_ / out).string(), "--json"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return Json::parse(outcome.out);
  }
  static bool is_over(const std::string& out) { return status(out)["over"].get<bool>(); }
  static std::string state_of(const std::string& out, std::size_t shard) {
    return status(out)["shards"][shard - 1]["state"].get<std::string>();
  }
  static Path store(const std::string& out, std::size_t shard) {
    return *program_ / out / fmt::format("jobs/shards/{}-of-4", shard);
  }
  static std::string log_of(const std::string& out, const std::string& name) {
    return read_text(*program_ / out / "jobs/logs" / name);
  }
  static std::vector<std::size_t> submitted(const Json& launch) {
    return launch["submitted"].get<std::vector<std::size_t>>();
  }

  static void expect_same_as_here(const std::string& out, const std::string& reference = "reference",
                                  const std::string& images = "images", const std::string& cache = "") {
    const Outcome features = extract(images, cache.empty() ? out + "-cache" : cache, out + "-features");
    ASSERT_EQ(features.exit_code, 0) << features.err;
    EXPECT_EQ(Json::parse(features.out)["computed"], 0);
    for (const char* name : {"features.npy", "manifest.csv", "features.json"})
      EXPECT_EQ(read_text(*program_ / (out + "-features") / name),
                read_text(*program_ / (reference + "-features") / name))
          << name;
    EXPECT_EQ(read_text(*program_ / out / "table.csv"), read_text(*program_ / reference / "table.csv"));
  }

  static std::unique_ptr<Program> program_;
  static Outcome reference_;
};

std::unique_ptr<Program> SlurmTest::program_;
Outcome SlurmTest::reference_;

TEST_F(SlurmTest, AllShardsPassAndTheTableIsThatOfOneProcess) {
  const Outcome outcome = launch("all", {"--wait"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  expect_same_as_here("all");
  const Json now = status("all");
  EXPECT_EQ(now["exit_code"], 0);
  for (const Json& shard : now["shards"]) {
    EXPECT_EQ(shard["state"], "done");
    EXPECT_EQ(shard["merged"], true);
    EXPECT_EQ(shard["rows"], 2 * kImages / 4);
    EXPECT_FALSE(std::filesystem::exists(store("all", shard["shard"].get<std::size_t>()) / "features"));
  }
  const Json again = launched(launch("all"));
  EXPECT_EQ(submitted(again), std::vector<std::size_t>{});
  EXPECT_EQ(again["finish_job"], "");
}

TEST_F(SlurmTest, ImagesThatCameSinceAreComputedAndNothingElse) {
  draw("growing", 40);
  ASSERT_EQ(launch("growing-out", {"--wait"}, "growing").exit_code, 0);
  draw("growing", 48);
  ASSERT_EQ(run_here("growing", "grown").exit_code, 0);
  const Json again = launched(launch("growing-out", {}, "growing"));
  EXPECT_EQ(submitted(again).size(), 4u);
  ASSERT_TRUE(wait_for([] { return is_over("growing-out"); }));
  expect_same_as_here("growing-out", "grown", "growing");
  const Json now = status("growing-out");
  for (const Json& shard : now["shards"]) EXPECT_EQ(shard["rows"], 2 * (48 - 40) / 4);
}

TEST_F(SlurmTest, TheSameCommandDuplicatesNothingThatIsQueuedOrRunning) {
  const Json first = launched(launch("twice"));
  EXPECT_EQ(submitted(first).size(), 4u);
  const Json second = launched(launch("twice"));
  EXPECT_EQ(submitted(second), std::vector<std::size_t>{});
  EXPECT_EQ(second["finish_job"], first["finish_job"]);
  EXPECT_EQ(second["finish_is_new"], false);
  const Outcome other = launch("twice", {"--seeds", "2"});
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_CONTAINS(other.err, "jobs of another plan");
  ASSERT_TRUE(wait_for([] { return is_over("twice"); }));
  expect_same_as_here("twice");
}

// One that has kept a block is sent back into the queue by its script; one that has kept nothing fails, and the same
// command submits it alone.
// One that is warned of its time limit keeps its partial block and is sent back, too.
TEST_F(SlurmTest, AShardThatIsKilledOrWarnedGoesOnWhereItStopped) {
  draw("many", 4 * 300);
  // What a shard takes, on this machine: a quarter of the whole, and its start.
  const double before_all = cpu_seconds_of_children();
  ASSERT_EQ(run_here("many", "many-here").exit_code, 0);
  const double work_of_one = (cpu_seconds_of_children() - before_all) / 4;
  const Json first = launched(launch("killed", {}, "many"));
  const auto blocks = [](std::size_t shard) {
    std::error_code error;
    std::size_t whole = 0;
    for (const auto& entry : std::filesystem::directory_iterator(store("killed", shard) / "features", error))
      if (std::filesystem::exists(entry.path() / "manifest.csv"))
        whole += contains(read_text(entry.path() / "manifest.csv"), "#block");
    return whole;
  };
  const auto kill_program_of = [](const std::string& shard) {
    const pid_t program = process_with({"--shard " + shard, (*program_ / "killed").string()});
    return program > 0 && ::kill(program, SIGKILL) == 0;
  };
  ASSERT_TRUE(wait_for([&] { return std::filesystem::exists(store("killed", 2) / "shard.json"); }));
  ASSERT_EQ(blocks(2), 0u);
  ASSERT_TRUE(kill_program_of("2/4"));
  // The third takes the second's place, and would be done by the time that the first, which runs beside it, has a
  // block: the first waits.
  const auto program_of = [](const std::string& shard) {
    return process_with({"--shard " + shard, (*program_ / "killed").string()});
  };
  ASSERT_TRUE(wait_for([&] { return program_of("1/4") > 0; }));
  ASSERT_EQ(::kill(program_of("1/4"), SIGSTOP), 0);
  const std::string array = first["extract_job"].get<std::string>();
  // The warning meets it in the middle of its work however busy the machine is: it has rows of a block, and waits
  // still until the signal has come.
  ASSERT_TRUE(wait_for([] { return std::filesystem::exists(store("killed", 3) / "shard.json"); }));
  const pid_t warned = program_of("3/4");
  ASSERT_GT(warned, 0);
  ASSERT_TRUE(wait_for([&] { return cpu_seconds(warned) > 0.6 * work_of_one; }, 90, 1000));
  ASSERT_EQ(::kill(warned, SIGSTOP), 0);
  slurm({"scancel", "--batch", "--signal=USR1", array + "_3"});
  ASSERT_TRUE(wait_for([&] { return is_pending(warned, SIGUSR1); }));
  ASSERT_EQ(::kill(warned, SIGCONT), 0);
  ASSERT_EQ(::kill(program_of("1/4"), SIGCONT), 0);
  ASSERT_TRUE(wait_for([&] { return blocks(1) > 0; }));
  ASSERT_TRUE(kill_program_of("1/4"));
  ASSERT_TRUE(wait_for([] { return is_over("killed"); }, 240));
  EXPECT_CONTAINS(log_of("killed", fmt::format("extract-{}_3.log", array)), "ended with 130; back into the queue");
  EXPECT_EQ(state_of("killed", 3), "done");
  EXPECT_CONTAINS(log_of("killed", fmt::format("extract-{}_1.log", array)), "ended with 137; back into the queue");
  EXPECT_CONTAINS(log_of("killed", fmt::format("extract-{}_2.log", array)), "nothing new was kept: not requeued");
  EXPECT_EQ(state_of("killed", 1), "done");
  EXPECT_EQ(state_of("killed", 2), "failed");
  EXPECT_EQ(status("killed")["finish"]["state"], "failed");
  const Outcome again = launch("killed", {"--wait"}, "many");
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(submitted(Json::parse(again.out.substr(0, again.out.find('\n')))), std::vector<std::size_t>{2});
  expect_same_as_here("killed", "many-here", "many");
}

// What preemption does: TERM, and the job waits again.
TEST_F(SlurmTest, AShardThatSlurmTakesBackGoesOnLater) {
  const Json first = launched(launch("preempted"));
  ASSERT_TRUE(wait_for([&] { return process_with({"--shard 2/4", (*program_ / "preempted").string()}) != 0; }));
  slurm({"scontrol", "requeue", first["extract_job"].get<std::string>() + "_2"});
  ASSERT_TRUE(wait_for([] { return is_over("preempted"); }, 180));
  EXPECT_EQ(status("preempted")["exit_code"], 0);
  expect_same_as_here("preempted");
}

TEST_F(SlurmTest, ACancelledShardIsSubmittedAloneByTheSameCommand) {
  const Json first = launched(launch("cancelled"));
  slurm({"scancel", first["extract_job"].get<std::string>() + "_3"});
  ASSERT_TRUE(wait_for([] { return is_over("cancelled"); }));
  const Json now = status("cancelled");
  EXPECT_EQ(now["shards"][2]["state"], "failed");
  EXPECT_TRUE(now["exit_code"].is_null());
  const Json again = launched(launch("cancelled"));
  EXPECT_EQ(submitted(again), std::vector<std::size_t>{3});
  ASSERT_TRUE(wait_for([] { return is_over("cancelled"); }));
  expect_same_as_here("cancelled");
}

TEST_F(SlurmTest, AControllerThatRestartsInBetweenIsWaitedFor) {
  const std::string out = "restarted";
  std::vector<std::string> words = run_words("images", out + "-cache", out);
  words.insert(words.end(), {"--launcher", "slurm", "--shards", "4", "--json", "--wait"});
  const pid_t waiting = program_->start(words);
  ASSERT_TRUE(wait_for([&] { return process_with({"--shard", "/restarted/"}) != 0; }));
  const Path cluster = Path(std::getenv("SLURM_CONF")).parent_path();
  const std::string pid(trim(read_text(cluster / "slurmctld.pid")));
  ::kill(static_cast<pid_t>(std::stol(pid)), SIGTERM);
  ASSERT_TRUE(wait_for([&] { return !std::filesystem::exists("/proc/" + pid); }));
  Program beside;  // its own files of output
  beside.set("SLURM_CONF", std::getenv("SLURM_CONF"));
  const Json silent = Json::parse(beside.run({"status", (*program_ / out).string(), "--json"}).out);
  EXPECT_EQ(silent["slurm_answers"], false);
  EXPECT_EQ(silent["over"], false);
  slurm({"slurmctld"});
  const Outcome outcome = program_->wait(waiting);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  expect_same_as_here(out);
}

TEST_F(SlurmTest, TwoRunsShareACache) {
  const Json one = launched(launch("one", {}, "images", "shared-cache"));
  const Json two = launched(launch("two", {}, "images", "shared-cache"));
  EXPECT_EQ(submitted(two).size(), 4u);
  ASSERT_TRUE(wait_for([] { return is_over("one") && is_over("two"); }, 180));
  expect_same_as_here("one", "reference", "images", "shared-cache");
  expect_same_as_here("two", "reference", "images", "shared-cache");
}

TEST_F(SlurmTest, ADamagedBlockIsFoundByTheMergeAndItsShardAloneComputesItAgain) {
  const Json first = launched(launch("damaged"));
  slurm({"scontrol", "hold", first["finish_job"].get<std::string>()});
  ASSERT_TRUE(wait_for([] {
    return status("damaged")["shards"] != Json() && state_of("damaged", 1) == "done" &&
           state_of("damaged", 2) == "done" && state_of("damaged", 3) == "done" && state_of("damaged", 4) == "done";
  }));
  const Path features = std::filesystem::directory_iterator(store("damaged", 2) / "features")->path() / "features.npy";
  std::string bytes = read_text(features);
  bytes[bytes.size() / 2] ^= 1;
  write_plainly(features, bytes);
  slurm({"scontrol", "release", first["finish_job"].get<std::string>()});
  ASSERT_TRUE(wait_for([] { return is_over("damaged"); }));
  EXPECT_CONTAINS(log_of("damaged", fmt::format("finish-{}.log", first["finish_job"].get<std::string>())),
                  "shard 2/4 is not what was written: 1 damaged block(s)");
  EXPECT_EQ(state_of("damaged", 2), "failed");
  const Outcome again = launch("damaged");
  EXPECT_CONTAINS(again.err, "shards 2: damaged blocks were found by the merge");
  EXPECT_EQ(submitted(launched(again)), std::vector<std::size_t>{2});
  ASSERT_TRUE(wait_for([] { return is_over("damaged"); }));
  expect_same_as_here("damaged");
}

TEST_F(SlurmTest, WhatSbatchRefusesIsSaidInItsWords) {
  const Outcome outcome = launch("refused", {"--slurm", "partition=nowhere"});
  EXPECT_EQ(outcome.exit_code, 4);
  EXPECT_CONTAINS(outcome.err, "invalid partition specified: nowhere");
  EXPECT_CONTAINS(outcome.err, "--slurm KEY=VALUE");
}

}  // namespace
}  // namespace vise::test
