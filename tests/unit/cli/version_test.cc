// One version, CMake's, wherever one is written.
#include <fmt/format.h>

#include "tests/unit/cli/program.h"

namespace vise::cli {
namespace {

using test::run_program;

TEST(Version, IsTheProjectsInEveryFileThatCarriesOne) {
  const std::string version = VISE_PROJECT_VERSION;
  const test::ScratchDir dir;
  const std::string cache = (dir / "cache").string(), out = (dir / "out").string(), features = (dir / "X").string();
  EXPECT_EQ(run_program({"--version"}).out, fmt::format("vise-eval {}\n", version));
  EXPECT_EQ(run_program({"doctor", "--json"}).json_lines().at(0)["vise_eval"], version);

  const test::Ran ran =
      run_program({"run", "--task", "demo", "--backbone", "colour-histogram", "--cache", cache, "--out", out});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const std::vector<std::string> results = split(read_text_file(out + "/results.jsonl"), '\n');
  EXPECT_EQ(parse_json(results.at(1), "results.jsonl")["version"], version);
  ASSERT_EQ(
      run_program({"extract", "--task", "demo", "--backbone", "colour-histogram", "--cache", cache, "--out", features})
          .code,
      0);
  EXPECT_EQ(parse_json(read_text_file(features + "/features.json"), "features.json")["vise_eval"], version);
  EXPECT_NE(run_program({"help", "--man"}).out.find("\"vise\\-eval " + version + "\""), std::string::npos);
}

}  // namespace
}  // namespace vise::cli
