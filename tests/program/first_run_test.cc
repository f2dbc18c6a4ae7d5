// A first hour with the program: a folder, a manifest, a second run, a stop, a bad image.
#include <pty.h>

#include <csignal>

#include "base/text.h"
#include "tests/child.h"
#include "tests/program/open_counter.h"
#include "tests/program/program.h"

namespace vise::test {
namespace {

class FirstRun : public testing::Test {
 protected:
  void make_folder(const Path& root) {
    for (const char* label : {"calm", "stormy"})
      for (int i = 0; i < 20; ++i) {
        const std::string id = fmt::format("{}/{}.ppm", label, i);
        write_file_atomically(root / id, noise_picture(id, 32));
      }
  }

  Program program_;
};

TEST_F(FirstRun, AFolderOfClassFoldersBecomesATableAndFiles) {
  make_folder(program_ / "moods");
  const Outcome outcome = program_.run({"run", "--data", "moods", "--backbone", "colour-histogram"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_CONTAINS(outcome.out, "### moods: label (calm, stormy)");
  EXPECT_CONTAINS(outcome.out, "macro-F1");
  for (const char* name : {"results.jsonl", "table.md", "table.csv", "table.tex", "report.html", "splits/moods.csv"})
    EXPECT_TRUE(std::filesystem::exists(program_ / "vise-results/moods" / name)) << name;
  // What is printed is plain text, the file Markdown: the same rows.
  for (const std::string& line : split(read_text(program_ / "vise-results/moods/table.md"), '\n')) {
    if (line.starts_with("| colour-histogram")) {
      EXPECT_CONTAINS(outcome.out, line);
    }
  }
}

TEST_F(FirstRun, TheSecondRunOpensNeitherImagesNorLibTorch) {
  make_folder(program_ / "moods");
  ::sleep(3);  // a file changed within the last two seconds is not remembered
  std::vector<Path> watched{program_ / "moods/calm", program_ / "moods/stormy"};
  if (std::filesystem::exists(VISE_BINARY_DIR "/vise_torch.so")) watched.push_back(VISE_BINARY_DIR "/vise_torch.so");
  const std::vector<std::string> arguments{"run", "--data", "moods", "--backbone", "colour-histogram", "--seeds", "2"};
  OpenCounter cold(watched);
  const Outcome first = program_.run(arguments);
  EXPECT_GE(cold.count(), 40);
  OpenCounter warm(watched);
  const Outcome second = program_.run(arguments);
  EXPECT_EQ(warm.count(), 0);
  EXPECT_EQ(second.out, first.out);
  EXPECT_CONTAINS(second.err, "0 fitted, 2 known");
}

TEST_F(FirstRun, ABadImageIsNamedAndCanBeLeftOutOfEveryRow) {
  make_folder(program_ / "moods");
  write_file_atomically(program_ / "moods/calm/broken.jpg", noise_picture("x").substr(0, 500));
  std::vector<std::string> arguments{"run", "--data", "moods", "--backbone", "colour-histogram"};
  const Outcome failed = program_.run(arguments);
  EXPECT_EQ(failed.exit_code, 4);
  EXPECT_CONTAINS(failed.err, "broken.jpg");
  EXPECT_CONTAINS(failed.err, "--on-bad-image skip");
  arguments.insert(arguments.end(), {"--on-bad-image", "skip"});
  const Outcome skipped = program_.run(arguments);
  EXPECT_EQ(skipped.exit_code, 0) << skipped.err;
  EXPECT_CONTAINS(skipped.out, "1 image(s) could not be read and are left out of every row");
}

TEST_F(FirstRun, CtrlCLeavesEverythingResumable) {
  make_folder(program_ / "moods");
  const std::vector<std::string> arguments{"run", "--data", "moods", "--backbone", "random-resnet18"};
  const pid_t child = program_.start(arguments);
  const Path features = program_ / "vise-eval/features";
  ASSERT_TRUE(wait_for([&] { return std::filesystem::exists(features); }, 90, 200));
  ::kill(child, SIGINT);
  const Outcome stopped = program_.wait(child);
  EXPECT_EQ(stopped.exit_code, 130) << stopped.err;
  const Outcome resumed = program_.run(arguments);
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  Program undisturbed;
  std::filesystem::copy(program_ / "moods", undisturbed / "moods", std::filesystem::copy_options::recursive);
  EXPECT_EQ(undisturbed.run(arguments).out, resumed.out);
}

// On a terminal of its own.
Outcome alone_on_a_terminal(const Program& program) {
  std::string home = "HOME=" + program.folder().string();
  char* environment[] = {home.data(), nullptr};
  int terminal = -1;
  const pid_t child = ::forkpty(&terminal, nullptr, nullptr, nullptr);
  if (child < 0) return {};
  if (child == 0) {
    if (::chdir(program.folder().c_str()) == 0)
      ::execle(VISE_BINARY_DIR "/vise-eval", "vise-eval", nullptr, environment);
    ::_exit(127);
  }
  Outcome outcome;
  char bytes[4096];
  for (ssize_t count = 0; (count = ::read(terminal, bytes, sizeof bytes)) > 0;)
    outcome.out.append(bytes, static_cast<std::size_t>(count));
  ::close(terminal);
  int status = 0;
  ::waitpid(child, &status, 0);
  outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return outcome;
}

TEST_F(FirstRun, AloneOnATerminalSaysWhatIsHereAndWhatComesNext) {
  const Outcome nothing = alone_on_a_terminal(program_);
  if (nothing.exit_code < 0) GTEST_SKIP() << "skipped: this system has no pseudo-terminals";
  EXPECT_EQ(nothing.exit_code, 0) << nothing.out;
  EXPECT_CONTAINS(nothing.out, "no folder of pictures and no table in this folder");
  EXPECT_CONTAINS(nothing.out, "vise-eval --task demo");
  make_folder(program_ / "moods");
  std::filesystem::create_directories(program_ / ".cache/torch/hub/checkpoints");
  write_file_atomically(program_ / ".cache/torch/hub/checkpoints/resnet18-f37072fd.pth", std::string_view("weights"));
  const Outcome something = alone_on_a_terminal(program_);
  EXPECT_CONTAINS(something.out, "weights    resnet18");
  EXPECT_CONTAINS(something.out, "your data  moods/");
  EXPECT_CONTAINS(something.out, "vise-eval run --data moods/ --backbone resnet18");
  EXPECT_EQ(program_.run({}).exit_code, 2) << "a script that forgets its words";
}

TEST_F(FirstRun, ExtractWritesWhatNumpyReads) {
  make_folder(program_ / "moods");
  const Outcome outcome =
      program_.run({"extract", "--data", "moods", "--backbone", "colour-histogram", "--out", "features"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  for (const char* name : {"features.npy", "manifest.csv", "features.json"})
    EXPECT_TRUE(std::filesystem::exists(program_ / "features" / name)) << name;
  EXPECT_CONTAINS(read_text(program_ / "features/manifest.csv"), "0,calm/0.ppm,");
}

TEST_F(FirstRun, ShardsMergeToTheBytesOfOneRun) {
  make_folder(program_ / "moods");
  const std::vector<std::string> base{"extract", "--data", "moods", "--backbone", "random-resnet18"};
  const auto with = [&](std::vector<std::string> more) {
    std::vector<std::string> all = base;
    all.insert(all.end(), more.begin(), more.end());
    const Outcome outcome = program_.run(all);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return outcome;
  };
  with({"--cache", "one", "--out", "whole"});
  for (const char* shard : {"1/3", "2/3", "3/3"}) with({"--shard", shard, "--cache", fmt::format("shard{}", shard[0])});
  EXPECT_EQ(program_.run({"cache", "merge", "shard3", "shard1", "shard2", "--cache", "all"}).exit_code, 0);
  const Outcome merged = with({"--cache", "all", "--out", "merged"});
  EXPECT_CONTAINS(merged.out, "(0 computed");
  for (const char* name : {"features.npy", "manifest.csv", "features.json"})
    EXPECT_EQ(read_text(program_ / "merged" / name), read_text(program_ / "whole" / name)) << name;
}

TEST_F(FirstRun, JsonGoesToStdoutAndEverythingElseToStderr) {
  make_folder(program_ / "moods");
  const Outcome outcome = program_.run({"run", "--data", "moods", "--backbone", "colour-histogram", "--json"});
  EXPECT_EQ(outcome.out.front(), '{');
  EXPECT_FALSE(contains(outcome.out, "###"));
  EXPECT_CONTAINS(outcome.err, "1 fitted");
}

}  // namespace
}  // namespace vise::test
