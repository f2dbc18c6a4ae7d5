// docs/python.md as a reader follows it: its commands by the program, its snippets by Debian's python3 with numpy,
// pandas, scikit-learn and the package of this build, in the page's order.
#include <cstdlib>

#include "base/json.h"
#include "base/text.h"
#include "tests/plain_file.h"
#include "tests/program/program.h"

namespace vise::test {
namespace {

constexpr int kImages = 60;
constexpr const char* kPython = "PYTHONPATH='" VISE_BINARY_DIR "/python' /usr/bin/python3";

struct Block {
  std::string language, code;
};

// The page's fenced blocks, in order.
std::vector<Block> fenced_blocks(const std::string& page) {
  std::vector<Block> blocks;
  bool inside = false;
  for (const std::string& line : split(page, '\n')) {
    if (line.starts_with("```")) {
      inside = !inside;
      if (inside) blocks.push_back({line.substr(3), ""});
    } else if (inside) {
      blocks.back().code += line + "\n";
    }
  }
  return blocks;
}

class PythonPage : public testing::Test {
 protected:
  // Dark and bright pictures, which a histogram of colours tells apart; parts in turn.
  void SetUp() override {
    std::string table = "path,label,split\n";
    for (int i = 0; i < kImages; ++i) {
      const std::string name = fmt::format("photos/{:02}.ppm", i), label = i % 2 == 0 ? "dark" : "bright";
      std::string picture = noise_picture(name, 8);
      for (std::size_t at = picture.size() - 8 * 8 * 3; at < picture.size(); ++at)
        picture[at] = static_cast<char>(static_cast<unsigned char>(picture[at]) / 2 + (i % 2 == 0 ? 0 : 128));
      write_plainly(program_ / name, picture);
      table += fmt::format("{},{},{}\n", name, label, i % 5 < 3 ? "train" : i % 5 == 3 ? "val" : "test");
    }
    write_plainly(program_ / "mine.csv", table);
  }

  // Two feature arrays of different worth, and labels.
  void write_arrays() {
    run_python(R"(import numpy as np
rng = np.random.default_rng(0)
y = np.arange(200) % 2
for name, distance in (("mine", 2.0), ("theirs", 0.5)):
    np.save(name, rng.normal(size=(200, 8)).astype(np.float32) + distance * y[:, None])
np.save("y", y)
)");
  }

  void run_commands(const std::string& lines) {
    for (const std::string& line : split(lines, '\n')) {
      if (line.empty()) continue;
      std::vector<std::string> words = split(line, ' ');
      ASSERT_EQ(words[0], "vise-eval") << line;
      words.erase(words.begin());
      const Outcome outcome = program_.run(words);
      ASSERT_EQ(outcome.exit_code, 0) << line << "\n" << outcome.err;
    }
  }

  std::string run_python(const std::string& code) {
    write_plainly(program_ / "page.py", code);
    const std::string command =
        fmt::format("cd '{}' && {} -W error page.py > python.out 2>&1", program_.folder().string(), kPython);
    const int status = std::system(command.c_str());
    const std::string out = read_text(program_ / "python.out");
    EXPECT_EQ(status, 0) << out;
    return out;
  }

  Program program_;
};

TEST_F(PythonPage, ItsCommandsAndSnippetsRunAndFindTheProgramsOwnNumbers) {
  if (std::system(fmt::format("{} -c 'import numpy, pandas, sklearn, vise_eval' > /dev/null 2>&1", kPython).c_str()) !=
      0)
    GTEST_SKIP()
        << "skipped: Debian's python3-numpy, python3-pandas, python3-sklearn or the package vise_eval not found";
  write_arrays();
  std::string python, said;
  const auto flush = [&] {
    if (!python.empty()) said += run_python(python);
    python.clear();
  };
  for (const Block& block : fenced_blocks(read_text(Path(VISE_SOURCE_DIR) / "docs/python.md"))) {
    if (block.language == "python") python += block.code;
    if (block.language != "sh") continue;
    flush();
    run_commands(block.code);
  }
  flush();
  EXPECT_CONTAINS(said, "DeLong");
  EXPECT_CONTAINS(said, "features of train: (36, 512)");
  const std::vector<std::string> lines = split(read_text(program_ / "run/results.jsonl"), '\n');
  ASSERT_EQ(lines.size(), 4u) << "the schema, two results, and nothing";
  for (std::size_t i = 1; i < 3; ++i) {
    const Json result = Json::parse(lines[i]);
    EXPECT_CONTAINS(said, fmt::format("{} recomputed accuracy: {}", result["cell"]["backbone"].get<std::string>(),
                                      vise::number(result["metrics"]["accuracy"].get<double>())));
  }
}

}  // namespace
}  // namespace vise::test
