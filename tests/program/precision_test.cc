// What is said of this CPU's fastest precision: by doctor, by a dry run with its cost, by a run of fp32 once.
#include <sys/wait.h>

#include "base/json.h"
#include "base/text.h"
#include "tests/program/program.h"

namespace vise::test {
namespace {

constexpr const char* kNote = "bf16 products are";

// The kernel's own word on the CPU.
bool has_bf16() { return contains(read_text("/proc/cpuinfo"), " avx512_bf16 "); }

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

class FastestPrecision : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* folder : {"moods", "weather"})
      for (const char* label : {"calm", "stormy"})
        for (int i = 0; i < 12; ++i) {
          const std::string id = fmt::format("{}/{}/{}.ppm", folder, label, i);
          write_file_atomically(program_ / id, noise_picture(id, 32));
        }
    write_file_atomically(program_ / "two.yaml",
                          std::string_view("tasks: [{data: moods}, {data: weather}]\nbackbones: [random-resnet18]\n"));
  }
  Outcome run(const std::vector<std::string>& more) {
    std::vector<std::string> words{"run", "--data", "moods", "--backbone", "random-resnet18"};
    words.insert(words.end(), more.begin(), more.end());
    return program_.run(words);
  }
  // A CPU without bf16, for oneDNN.
  void limit_cpu() { program_.set("ONEDNN_MAX_CPU_ISA", "AVX2"); }

  Program program_;
};

TEST_F(FastestPrecision, DoctorSaysItWithItsMeasuredGain) {
  const Json facts = parse_json(program_.run({"doctor", "--json"}).out, "stdout").at("precision");
  EXPECT_EQ(facts.at("bf16_gain").get<double>() > 1, has_bf16()) << facts;
  EXPECT_LT(facts.at("bf16_gain").get<double>(), 40) << facts;
  const bool faster = facts.at("bf16_gain").get<double>() >= 1.3;
  EXPECT_TRUE(facts.at("fastest").get<std::string>().starts_with(faster ? "bf16: " : "fp32: ")) << facts;
  EXPECT_CONTAINS(program_.run({"doctor"}).out, "\nfastest   " + facts.at("fastest").get<std::string>().substr(0, 5));
  limit_cpu();
  EXPECT_CONTAINS(program_.run({"doctor"}).out, "\nfastest   fp32: this CPU has no bf16 instructions\n");
}

TEST_F(FastestPrecision, ARunOfFp32SaysItOnceAndAWarmOneDoesNot) {
  const Outcome cold = program_.run({"run", "two.yaml"});
  ASSERT_EQ(cold.exit_code, 0) << cold.err;
  EXPECT_EQ(count(cold.err, kNote), has_bf16() ? 1U : 0U) << cold.err;
  EXPECT_EQ(count(cold.out, kNote), 0U) << cold.out;
  EXPECT_EQ(count(program_.run({"run", "two.yaml", "--overwrite", "always"}).err, kNote), 0U);
  EXPECT_EQ(count(run({"--cache", "b", "--quiet"}).err, kNote), 0U);
  EXPECT_EQ(count(program_.run({"run", "--data", "moods", "--backbone", "colour-histogram"}).err, kNote), 0U);
  const Outcome extracted = program_.run(
      {"extract", "--data", "moods", "--backbone", "random-resnet18", "--cache", "c", "--out", "features", "--json"});
  EXPECT_EQ(count(extracted.err, kNote), has_bf16() ? 1U : 0U) << extracted.err;
  EXPECT_EQ(parse_json(extracted.out, "stdout").at("computed"), 24);
  limit_cpu();
  EXPECT_EQ(count(run({"--cache", "d"}).err, kNote), 0U);
}

TEST_F(FastestPrecision, ADryRunSaysWhatItWouldCost) {
  EXPECT_CONTAINS(run({"--dry-run"}).out, "fastest precision: ");
  EXPECT_FALSE(contains(program_.run({"run", "--data", "moods", "--backbone", "colour-histogram", "--dry-run"}).out,
                        "fastest precision"));
  ASSERT_EQ(run({}).exit_code, 0);
  // Rates are known now: of other pictures of the same network.
  const std::vector<std::string> dry{"run",       "--data", "weather", "--backbone", "random-resnet18",
                                     "--dry-run", "--json"};
  const Json ahead = parse_json(program_.run(dry).out, "stdout");
  ASSERT_TRUE(ahead.at("extract_seconds").is_number()) << ahead;
  EXPECT_EQ(ahead.at("bf16_extract_seconds").is_number(), has_bf16()) << ahead;
  if (!has_bf16()) GTEST_SKIP() << "skipped: this CPU has no bf16";
  const double fp32 = ahead.at("extract_seconds"), guessed = ahead.at("bf16_extract_seconds");
  EXPECT_GT(guessed, fp32 / (ahead.at("bf16_gain").get<double>() * 1.5));  // measured in another process, which differs
  EXPECT_LT(guessed, fp32);
  // Once bf16 has run here, its own rate is what counts: the dry run of bf16 says the same.
  ASSERT_EQ(run({"--precision", "bf16", "--out", "narrow"}).exit_code, 0);
  const double measured = parse_json(program_.run(dry).out, "stdout").at("bf16_extract_seconds");
  std::vector<std::string> narrow = dry;
  narrow.insert(narrow.end(), {"--precision", "bf16"});
  const Json of_bf16 = parse_json(program_.run(narrow).out, "stdout");
  EXPECT_NEAR(measured, of_bf16.at("extract_seconds").get<double>(), 0.5 * measured);  // decoding is timed in either
  EXPECT_TRUE(of_bf16.at("bf16_gain").is_null()) << of_bf16;
}

}  // namespace
}  // namespace vise::test
