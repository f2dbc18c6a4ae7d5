// What a run would do and what it could show, before it: `plan`, which is `run --dry-run`.
#include <cmath>

#include "base/json.h"
#include "tests/program/photos.h"

namespace vise {
namespace {

using test::Outcome;
using test::Program;

// DIR/moods.csv over `images` pictures, every fifth of test.
void write_moods(const Program& program, const std::string& folder, int images) {
  std::string csv = "path,label,split\n";
  for (int i = 0; i < images; ++i) {
    const std::string name = fmt::format("images/{:03}.png", i);
    write_file_atomically(program / folder / name, test::picture(name, static_cast<std::uint8_t>(i)));
    csv += fmt::format("{},{},{}\n", name, i / 5 % 2 ? "tense" : "calm",
                       i % 5 == 0   ? "test"
                       : i % 5 == 1 ? "val"
                                    : "train");
  }
  write_file_atomically(program / folder / "moods.csv", csv);
}

// Connor's n = (za sqrt(r) + zb sqrt(r - d^2))^2 / d^2, solved for d by halving.
double by_halving(double n, double rate) {
  double low = 0, high = rate;
  for (int i = 0; i < 100; ++i) {
    const double d = (low + high) / 2,
                 z = 1.959963984540054 * std::sqrt(rate) + 0.8416212335729143 * std::sqrt(rate - d * d);
    (z * z / (d * d) > n ? low : high) = d;
  }
  return high;
}

TEST(Plan, SaysHowSmallADifferenceTheTestImagesCanShow) {
  Program program;
  write_moods(program, "a", 300);
  write_moods(program, "b", 600);
  write_file_atomically(program / "study.yaml",
                        "study: 1\ntasks: [{data: a/moods.csv}, {data: b/moods.csv}]\nbackbones: [colour-histogram]\n");
  const Outcome said = program.run({"plan", "study.yaml", "--json"});
  ASSERT_EQ(said.exit_code, 0) << said.err;
  const Json json = parse_json(said.out, "stdout");
  ASSERT_EQ(json["tests"].size(), 2u);
  for (const std::size_t task : {0u, 1u}) {
    const double images = task == 0 ? 60 : 120;
    EXPECT_EQ(json["tests"][task]["images"], images);
    for (const Json& at : json["tests"][task]["detectable"]) {
      const double rate = at["discordant"];
      if (at["difference"].is_null()) {
        EXPECT_GT(by_halving(images, rate), rate - 1e-9) << "a difference was possible";
        continue;
      }
      EXPECT_NEAR(at["difference"].get<double>(), by_halving(images, rate), 1e-12);
    }
  }
  // Over both tasks as over one of 4 / (1/60 + 1/120) images.
  EXPECT_NEAR(json["detectable_over_tasks"][1]["difference"].get<double>(), by_halving(160, 0.2), 1e-12);
  const Outcome text = program.run({"plan", "study.yaml"});
  EXPECT_CONTAINS(text.out,
                  fmt::format("b/moods: label, 120 test images: {:.1f}, {:.1f}, {:.1f} points",
                              100 * by_halving(120, 0.1), 100 * by_halving(120, 0.2), 100 * by_halving(120, 0.3)));
  EXPECT_CONTAINS(text.out, "the mean over these 2 tasks, if no test image is in two of them: ");
  EXPECT_EQ(program.run({"run", "study.yaml", "--dry-run"}).out, text.out);
  EXPECT_FALSE(std::filesystem::exists(program / "vise-results"));
}

TEST(Plan, SaysInWordsWhereNoDifferenceWouldBeFound) {
  Program program;
  write_moods(program, "a", 20);
  const Outcome said = program.run({"plan", "--data", "a/moods.csv", "--backbone", "colour-histogram"});
  ASSERT_EQ(said.exit_code, 0) << said.err;
  EXPECT_CONTAINS(said.out, "label, 4 test images: too few, no difference would be found\n");
  EXPECT_FALSE(test::contains(said.out, "none")) << said.out;
}

TEST(Plan, OfSeveralDrawnSplitsSaysNoMean) {
  Program program;
  write_moods(program, "a", 100);
  const Outcome said =
      program.run({"plan", "--data", "a/moods.csv", "--folds", "2", "--backbone", "colour-histogram", "--json"});
  ASSERT_EQ(said.exit_code, 0) << said.err;
  const Json json = parse_json(said.out, "stdout");
  ASSERT_EQ(json["tests"].size(), 2u);
  EXPECT_EQ(json["tests"][0]["images"].get<int>() + json["tests"][1]["images"].get<int>(), 100);
  EXPECT_TRUE(json["detectable_over_tasks"].empty());
}

}  // namespace
}  // namespace vise
