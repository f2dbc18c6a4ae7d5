// `run --launcher` where there is no Slurm, and shards by hand as other engines start them. On Slurm itself:
// tests/slurm.
#include "base/json.h"
#include "tests/plain_file.h"
#include "tests/program/program.h"

namespace vise::test {
namespace {

class LaunchTest : public testing::Test {
 protected:
  void SetUp() override {
    for (int i = 0; i < 40; ++i) {
      const std::string name = fmt::format("images/{}/{:03}.ppm", i % 2 ? "calm" : "tense", i);
      write_plainly(program_ / name, noise_picture(name, 6));
    }
  }
  Outcome run(std::vector<std::string> more) {
    std::vector<std::string> words{"run",   "--data", "images",  "--backbone", "colour-histogram",
                                   "--out", "out",    "--cache", "cache"};
    words.insert(words.end(), more.begin(), more.end());
    return program_.run(words);
  }
  Program program_;
};

TEST_F(LaunchTest, WithoutSlurmItSaysSoAndNamesTheOtherWay) {
  program_.set("PATH", (program_ / "empty").string());
  const Outcome outcome = run({"--launcher", "slurm", "--shards", "4"});
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_CONTAINS(outcome.err, "sbatch isn't here");
  EXPECT_CONTAINS(outcome.err, "extract --shard I/N");
  EXPECT_FALSE(std::filesystem::exists(program_ / "out"));
}

TEST_F(LaunchTest, DryRunShowsBothScriptsAndWritesNothing) {
  program_.set("PATH", (program_ / "empty").string());
  const Outcome outcome = run({"--launcher", "slurm", "--shards", "4", "--slurm", "partition=long", "--dry-run"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  for (const char* part : {"#SBATCH --array=1-4", "#SBATCH --partition=long", "#SBATCH --requeue", "cache merge --move",
                           "--dependency=afterok", "40 to compute"})
    EXPECT_CONTAINS(outcome.out, part);
  EXPECT_FALSE(std::filesystem::exists(program_ / "out"));
}

TEST_F(LaunchTest, OptionsThatNeedEachOtherAreUsageErrors) {
  EXPECT_EQ(run({"--shards", "4"}).exit_code, 2);
  EXPECT_EQ(run({"--wait"}).exit_code, 2);
  EXPECT_EQ(run({"--launcher", "slurm"}).exit_code, 2);
  EXPECT_EQ(run({"--launcher", "pbs", "--shards", "4"}).exit_code, 2);
  EXPECT_EQ(run({"--launcher", "slurm", "--shards", "4", "--slurm", "array=1-9"}).exit_code, 2);
  EXPECT_EQ(program_.run({"status", "out"}).exit_code, 3);
}

// docs/cluster.md, "Any other engine".
TEST_F(LaunchTest, ShardsOfAPlanByHandMergeIntoTheSameRun) {
  ASSERT_EQ(run({}).exit_code, 0);
  const auto shard = [&](const std::string& number) {
    return program_.run({"extract", "out/plan.yaml", "--shard", number + "/3", "--into", "shards/" + number, "--cache",
                         "all", "--offline", "--json"});
  };
  for (const char* number : {"1", "2"}) EXPECT_EQ(shard(number).exit_code, 0);
  const std::vector<std::string> merge{"cache",    "merge",    "--move",  "shards/1",
                                       "shards/2", "shards/3", "--cache", "all"};
  EXPECT_EQ(program_.run(merge).exit_code, 3) << "the third isn't there";
  const Outcome third = shard("3");
  EXPECT_EQ(third.exit_code, 0) << third.err;
  EXPECT_EQ(Json::parse(third.out)["rows"], 40 / 3);
  EXPECT_EQ(program_.run(merge).exit_code, 0);
  const Outcome merged = program_.run({"run", "out/plan.yaml", "--cache", "all", "--out", "merged"});
  EXPECT_EQ(merged.exit_code, 0) << merged.err;
  EXPECT_EQ(read_text(program_ / "merged/table.csv"), read_text(program_ / "out/table.csv"));
  EXPECT_EQ(program_.run({"extract", "out/plan.yaml"}).exit_code, 2);
  EXPECT_EQ(program_.run({"extract", "out/plan.yaml", "--shard", "1/3"}).exit_code, 2);
}

}  // namespace
}  // namespace vise::test
