// What a reviewer and a newcomer did, as ../shared/data/field/journeys/*/cmd.sh have it: each gives what its head says.
#include <cstdlib>
#include <regex>

#include "base/text.h"
#include "tests/program/program.h"

namespace vise::test {
namespace {

class Journey : public testing::Test {
 protected:
  void SetUp() override { VISE_NEEDS_SHARED(); }

  // The output of a journey's script, which makes folders of its own in the test's.
  std::string walk(const std::string& name) {
    const Path script = shared_dir() / "data/field/journeys" / name / "cmd.sh", said = scratch_ / "said";
    const std::string command = fmt::format(
        "TMPDIR='{0}' HOME='{0}' XDG_CACHE_HOME='{0}' VISE_EVAL='{1}' SHARED='{2}' W='{5}' sh '{3}' > '{4}' "
        "2>&1",
        scratch_.path().string(), VISE_BINARY_DIR "/vise-eval", std::filesystem::canonical(shared_dir()).string(),
        script.string(), said.string(), weights().string());
    EXPECT_NE(std::system(command.c_str()), -1);
    return read_text(said);
  }

  // The checkpoints that make_weights.py writes, kept in the build folder: it takes its time. False where Debian's
  // python3-torch isn't there.
  static bool make_weights() {
    if (std::filesystem::exists(weights())) return true;
    const Path making = weights().string() + "." + std::to_string(::getpid());
    const bool made = std::system("/usr/bin/python3 -c 'import torch' > /dev/null 2>&1") == 0 &&
                      std::system(fmt::format("/usr/bin/python3 '{}' '{}' > /dev/null 2>&1",
                                              (shared_dir() / "data/make_weights.py").string(), making.string())
                                      .c_str()) == 0;
    std::error_code lost;  // to another test that made them meanwhile
    if (made) std::filesystem::rename(making, weights(), lost);
    std::filesystem::remove_all(making, lost);
    return made;
  }
  static Path weights() { return Path(VISE_BINARY_DIR) / "journeys-weights"; }

  ScratchDir scratch_;
};

#define NEEDS_WEIGHTS() \
  if (!make_weights()) GTEST_SKIP() << "skipped: Debian's python3-torch not found"

TEST_F(Journey, VerifyOfAnUntouchedFolderFindsNoDifference) {
  EXPECT_CONTAINS(walk("01-verify-cries-wolf-on-probe"), "rc 0");
}

TEST_F(Journey, GroupsStayWhole) {
  EXPECT_CONTAINS(walk("02-group-column-ignored"), "groups in more than one part: 0 of 15");
}

TEST_F(Journey, ADrawnSplitDoesNotDependOnTheFoldersName) {
  const std::string said = walk("03-split-depends-on-folder-name");
  std::vector<std::string> rows;
  for (const std::string& line : split(said, '\n'))
    if (line.starts_with("| colour")) rows.push_back(line);
  ASSERT_GE(rows.size(), 2u) << said;
  EXPECT_EQ(rows[0], rows[1]);
  EXPECT_CONTAINS(said, "\n0\n") << "items in other parts";
  EXPECT_FALSE(contains(said, "no task and target in common"));
}

TEST_F(Journey, RandomSaysItsArchitecture) {
  NEEDS_WEIGHTS();
  const std::string said = walk("04-random-is-resnet50-beside-a-resnet18");
  EXPECT_CONTAINS(said, "random is a resnet50 with random weights");
}

TEST_F(Journey, SeedsOfAConvexProbeAreOneModel) {
  NEEDS_WEIGHTS();
  // The difference to the baseline, and p.
  std::vector<std::string> differences;
  for (const std::string& line : split(walk("05-seeds-of-a-convex-probe-change-p"), '\n')) {
    const std::size_t difference = line.find("| +"), p = line.find('|', line.find('|', difference + 1) + 1);
    if (line.starts_with("| r18") && p != std::string::npos)
      differences.push_back(line.substr(difference, p - difference));
  }
  ASSERT_EQ(differences.size(), 3u);
  EXPECT_EQ(differences[0], differences[1]);
  EXPECT_EQ(differences[0], differences[2]);
}

TEST_F(Journey, VerifySeesEveryEdit) {
  NEEDS_WEIGHTS();
  const std::string said = walk("07-verify-is-blind-to-these-edits");
  std::size_t seen = 0;
  for (const std::string& line : split(said, '\n')) {
    if (!line.starts_with("rc ")) continue;
    EXPECT_TRUE(line.starts_with("rc 5")) << line;
    ++seen;
  }
  EXPECT_EQ(seen, 5u) << said;
}

TEST_F(Journey, FilesOfOneNameAreToldApartByTheirFolders) {
  const std::string said = walk("08-report-cannot-tell-two-features-npy-apart");
  EXPECT_CONTAINS(said, "vs x/features");
  EXPECT_CONTAINS(said, "| y/features");
  EXPECT_FALSE(contains(said, "features (2)")) << said;
}

TEST_F(Journey, NoColorTakesColourAloneAndPipesGetNoEscapes) {
  std::string said = walk("13-markdown-escapes-and-no-color");
  EXPECT_FALSE(contains(said, "\\&")) << said;
  EXPECT_FALSE(contains(said, "split: ;")) << said;
  static const std::regex escape("\x1b\\[[0-9;]*m");
  said = std::regex_replace(said, escape, "");
  const std::size_t other = said.find("--- NO_COLOR=1");
  ASSERT_NE(other, std::string::npos) << said;
  const std::string coloured = said.substr(said.find('\n') + 1, other - said.find('\n') - 1);
  EXPECT_EQ(coloured, said.substr(said.find('\n', other) + 1, coloured.size()));
  EXPECT_CONTAINS(coloured, "colour-histogram");
}

TEST_F(Journey, TextsInNpyAreLabels) {
  const std::string said = walk("09-npy-of-strings");
  EXPECT_FALSE(contains(said, "its header promises")) << said;
  EXPECT_CONTAINS(said, "accuracy");
}

TEST_F(Journey, ADryRunWithoutDataIsAChecklist) {
  const std::string said = walk("11-dry-run-does-not-lead-to-the-data");
  for (const char* part :
       {"[ ] politics: data set 'politics'", "get it from https://people.cs.pitt.edu/~chris/politics", "licence",
        "train_test_paths.pickle", "[ ] no weights for vise-250m", "rc 3"})
    EXPECT_CONTAINS(said, part);
}

}  // namespace
}  // namespace vise::test
