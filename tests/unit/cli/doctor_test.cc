#include "extract/images/parity_images.h"
#include "tests/unit/cli/program.h"

namespace vise::cli {
namespace {

using test::contains;
using test::run_program;

TEST(Doctor, TellsVersionsCpuBlasAndParity) {
  const test::Ran ran = run_program({"doctor", "--json"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const Json facts = ran.json_lines().at(0);
  for (const char* key : {"vise_eval", "onednn", "libtorch", "codecs", "cpu_features", "cores", "threads", "blas",
                          "warnings", "cache", "weights", "datasets"})
    EXPECT_TRUE(facts.contains(key)) << key;
  for (const auto& [name, version] : facts["codecs"].items())
    EXPECT_NE(version.get<std::string>().find('.'), std::string::npos) << name;
  EXPECT_TRUE(facts["libtorch"].contains("cuda") || facts["libtorch"].contains("missing")) << facts["libtorch"];
  EXPECT_EQ(facts["parity"].size(), images::parity_images().size() * 3);
  for (const Json& check : facts["parity"]) EXPECT_TRUE(check["passed"].get<bool>()) << check;
  // /proc/cpuinfo is the kernel's own word on the CPU.
  const std::string cpu = read_text_file("/proc/cpuinfo");
  const std::string said = facts["cpu_features"];
  EXPECT_EQ(contains(said, "AVX2"), contains(cpu, " avx2 "));
  EXPECT_EQ(contains(said, "AVX-512"), contains(cpu, " avx512f "));
  EXPECT_EQ(contains(said, "bf16"), contains(cpu, " avx512_bf16 "));
}

TEST(Doctor, ExitsWith5WhenACodecLibraryGivesOtherPixels) {
  const test::Ran ran = run_program({"doctor"}, {std::string("LD_PRELOAD=") + VISE_FLIPPED_JPEG});
  EXPECT_EQ(ran.code, 5) << ran.err;
  EXPECT_TRUE(contains(ran.out, "DIFFERENT")) << ran.out;
  EXPECT_TRUE(contains(ran.out, "instead of Pillow's")) << ran.out;
}

TEST(Doctor, WarnsOfTheReferenceBlas) {
  const char* const folder = "/usr/lib/x86_64-linux-gnu/blas";
  if (!std::filesystem::exists(std::string(folder) + "/libblas.so.3")) GTEST_SKIP() << "skipped: no libblas3";
  const test::Ran ran = run_program({"doctor"}, {std::string("LD_LIBRARY_PATH=") + folder});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_TRUE(contains(ran.out, "unoptimised reference BLAS")) << ran.out;
  EXPECT_FALSE(contains(run_program({"doctor"}, {"LD_LIBRARY_PATH=/usr/lib/x86_64-linux-gnu/openblas-pthread"}).out,
                        "unoptimised"));
}

TEST(Doctor, ListsWeightsWithTheirHashAndDataSets) {
  const test::ScratchDir dir;
  std::filesystem::create_directories(dir / "data/CUB_200_2011");
  write_file_atomically(dir / "resnet18-5c106cde.pth", std::string_view("abc"));
  const test::Ran ran =
      run_program({"doctor", "--json", "--weights-dir", dir.path().string(), "--data-root", (dir / "data").string()});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const Json facts = ran.json_lines().at(0);
  ASSERT_EQ(facts["weights"].size(), 1U);
  EXPECT_EQ(facts["weights"][0]["backbone"], "resnet18");
  // printf abc | sha256sum
  EXPECT_EQ(facts["weights"][0]["sha256"], "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_TRUE(contains(facts["weights"][0]["notes"][0], "5c106cde"));
  ASSERT_EQ(facts["datasets"].size(), 1U);
  EXPECT_EQ(facts["datasets"][0]["dataset"], "cub");
}

}  // namespace
}  // namespace vise::cli
