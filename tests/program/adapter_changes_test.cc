// Data sets of the registry whose files are damaged as files get damaged: whatever verb reads them ends with a table or
// with an error of ours, never with a signal.
#include <cstdlib>

#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "tests/mini/changes.h"
#include "tests/mini/data_sets.h"
#include "tests/program/program.h"

namespace vise {
namespace {

using test::MiniData;
using test::Outcome;
using test::Program;

// A built-in task of every data set.
std::map<std::string, std::string> task_of_data_set() {
  std::map<std::string, std::string> tasks;
  for (const auto& entry : std::filesystem::directory_iterator(Path(VISE_SOURCE_DIR) / "experiments/tasks"))
    for (const std::string& line : split(read_text_file(entry.path()), '\n'))
      if (line.starts_with("dataset: ")) tasks.try_emplace(line.substr(9), entry.path().stem());
  return tasks;
}

void expect_sound_end(Program& program, const std::vector<std::string>& command, const std::string& what) {
  const Outcome out = program.run(command);
  EXPECT_TRUE(out.exit_code >= 0 && out.exit_code <= 4) << what << ": exit " << out.exit_code << "\n" << out.err;
  if (out.exit_code > 1) {
    EXPECT_NE(out.err.find("vise-eval: "), std::string::npos) << what << out.err;
  }
}

void run_verbs(Program& program, const std::string& task, const std::string& root, const std::string& what) {
  const std::vector<std::string> from{"--task", task, "--data-root", root, "--cache", program / "cache"};
  const auto run = [&](std::vector<std::string> command, const std::vector<std::string>& more) {
    command.insert(command.end(), from.begin(), from.end());
    command.insert(command.end(), more.begin(), more.end());
    expect_sound_end(program, command, command.front() + " of " + what);
  };
  run({"run"}, {"--backbone", "colour-histogram", "--dry-run", "--out", program / "out"});
  run({"run"}, {"--backbone", "colour-histogram", "--out", program / "out"});
  run({"audit"}, {});
  run({"extract"}, {"--backbone", "colour-histogram", "--out", program / "features"});
}

// VISE_FUZZ_SECONDS=N continues for so long; else each data set is changed once.
TEST(Adapters, EndSoundlyOnChangedFiles) {
  Program program;
  const auto tasks = task_of_data_set();
  const char* const given = std::getenv("VISE_FUZZ_SECONDS");
  const double seconds = given ? std::atof(given) : 0;
  const char* const first = std::getenv("VISE_FUZZ_ROUND");
  const Stopwatch watch;
  std::uint64_t round = first ? static_cast<std::uint64_t>(std::atoll(first)) : 0;
  do {
    for (const MiniData& whole : test::mini_data_sets()) {
      const auto task = tasks.find(whole.name);
      ASSERT_NE(task, tasks.end()) << whole.name;
      MiniData data = whole;
      RandomStream random("adapter-changes/" + whole.name, round);
      std::vector<std::uint8_t> bytes(64);
      for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random.below(256));
      test::Choices choices(bytes);
      if (round > 0) test::change(data.texts, choices);  // round 0: as they are
      const std::string root = program / fmt::format("{}-{}", whole.name, round);
      data.write(root);
      run_verbs(program, task->second, root, fmt::format("{}, round {}", whole.name, round));
      std::filesystem::remove_all(root);
      std::filesystem::remove_all(program / "out");
    }
    ++round;
  } while (watch.seconds() < seconds);
}

}  // namespace
}  // namespace vise
