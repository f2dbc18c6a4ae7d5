#include <cstring>

#include "tests/unit/cli/program.h"

namespace vise::cli {
namespace {

using test::contains;
using test::run_program;

std::string safetensors(const std::string& header, std::size_t data_bytes) {
  const std::uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + header + std::string(data_bytes, '\0');
}

TEST(BackboneInspect, PrintsALineAFileAndAnErrorAsALineToo) {
  const test::ScratchDir dir;
  const std::string good = (dir / "a.safetensors").string(), page = (dir / "b.pth").string(),
                    none = (dir / "c").string();
  write_file_atomically(good, safetensors(R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8));
  write_file_atomically(page, std::string_view("<!DOCTYPE html><html><body>Sign in</body></html>"));
  const test::Ran ran = run_program({"backbone", "inspect", "--json", page, good, none});
  EXPECT_EQ(ran.code, 4) << ran.err;
  const std::vector<Json> lines = ran.json_lines();
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_TRUE(contains(lines[0]["error"], "HTML page")) << lines[0];
  EXPECT_EQ(lines[1]["container"], "safetensors");
  EXPECT_EQ(lines[1]["match"], nullptr);
  EXPECT_FALSE(lines[1].contains("tensors"));
  EXPECT_TRUE(lines[2].contains("error"));
  EXPECT_EQ(run_program({"backbone", "inspect", none}).code, 3);
}

TEST(BackboneInspect, AddsTensorsWhenAsked) {
  const test::ScratchDir dir;
  const std::string file = (dir / "a.safetensors").string();
  write_file_atomically(file, safetensors(R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8));
  const Json tensor =
      run_program({"backbone", "inspect", "--json", "--tensors", file}).json_lines().at(0)["tensors"][0];
  EXPECT_EQ(tensor["dtype"], "float32");
  EXPECT_EQ(tensor["shape"], Json::array({2}));
  EXPECT_EQ(tensor["sum"], 0.0);
  // head -c 8 /dev/zero | sha256sum
  EXPECT_EQ(tensor["sha256"], "af5570f5a1810b7af78caf4bc70a660f0df51e42baf91d4de5b2328de0e83dfc");
}

TEST(BackboneInspect, TakesTheBranchThatIsNamed) {
  const Path file = Path(VISE_SHARED_DIR) / "data/tensors";
  VISE_NEEDS_SHARED();
  const test::Ran ran = run_program({"backbone", "inspect", "--arch", "resnet51", (file / "manifest.csv").string()});
  EXPECT_EQ(ran.code, 4) << ran.out << ran.err;  // a text file, whatever was asked of it
}

TEST(BackboneInspect, PassesOverForeignThingsOnlyWhenAsked) {
  VISE_NEEDS_SHARED();
  const std::string file = (test::shared_dir() / "data/tensors/zip/argparse_namespace.pth").string();
  const test::Ran strict = run_program({"backbone", "inspect", file});
  EXPECT_EQ(strict.code, 4);
  EXPECT_TRUE(contains(strict.out, "argparse.Namespace")) << strict.out;
  const test::Ran lenient = run_program({"backbone", "inspect", "--json", "--skip-foreign", file});
  EXPECT_EQ(lenient.code, 4) << "no network: " << lenient.out;
  EXPECT_TRUE(contains(lenient.json_lines().at(0)["opaque"].dump(), "argparse.Namespace"));
}

TEST(BackboneInspect, DescribesATorchScriptArchiveThatFitsNothing) {
  VISE_NEEDS_SHARED();
  const test::Ran ran =
      run_program({"backbone", "inspect", "--json", (test::shared_dir() / "data/tensors/zip/torchscript.pt").string()});
  EXPECT_EQ(ran.code, 0) << ran.out;
  EXPECT_EQ(ran.json_lines().at(0)["container"], "torchscript");
}

TEST(BackboneInspect, ReadsTheRealNetworks) {
  VISE_NEEDS_SHARED();
  const test::Ran ran = run_program(
      {"backbone", "inspect", "--json", (test::shared_dir() / "data/weights/resnet50_imagenet_fp16.pth").string()});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const Json match = ran.json_lines().at(0)["match"];
  EXPECT_EQ(match["architecture"], "resnet50");
  EXPECT_EQ(match["matched"], 318);
  EXPECT_EQ(match["dropped"][0]["keys"], Json::array({"fc.weight", "fc.bias"}));
}

TEST(BackboneShow, NamesTheNearestBackbone) {
  const test::Ran ran = run_program({"backbone", "show", "vise-250"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_TRUE(contains(ran.err, "'vise-250m'")) << ran.err;
  EXPECT_TRUE(contains(run_program({"backbone", "show", "clip-rn50"}).out, "MIT"));
}

}  // namespace
}  // namespace vise::cli
