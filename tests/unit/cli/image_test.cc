#include "extract/images/parity_images.h"
#include "tests/unit/cli/program.h"

namespace vise::cli {
namespace {

using test::contains;
using test::run_program;

struct Pictures {
  test::ScratchDir dir;
  std::string whole = (dir / "whole.jpg").string(), cut = (dir / "cut.jpg").string(),
              none = (dir / "none.jpg").string();
  Pictures() {
    const auto file = std::as_bytes(images::parity_images().front().file);
    write_file_atomically(whole, file);
    write_file_atomically(cut, file.first(file.size() - 9));
  }
};

TEST(ImageInspect, PrintsALineAFileAndAnErrorAsALineToo) {
  const Pictures pictures;
  const test::Ran ran = run_program({"image", "inspect", "--json", pictures.cut, pictures.none, pictures.whole});
  EXPECT_EQ(ran.code, 4);
  const std::vector<Json> lines = ran.json_lines();
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0]["error"], pictures.cut + ": the JPEG is cut short");
  EXPECT_TRUE(lines[1].contains("error"));
  EXPECT_EQ(lines[2]["rgb_sha256"], images::parity_images().front().rgb_sha256);
  EXPECT_EQ(lines[2]["pixels_sha256"], images::parity_images().front().bilinear_sha256);
  EXPECT_EQ(lines[2]["transform"], "imagenet");
}

TEST(ImageInspect, ShowsTheHashOfAnotherTransform) {
  const Pictures pictures;
  const test::Ran ran = run_program({"image", "inspect", "--json", "--transform", "clip", pictures.whole});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.json_lines().at(0)["pixels_sha256"], images::parity_images().front().bicubic_sha256);
  const test::Ran wrong = run_program({"image", "inspect", "--transform", "clipp", pictures.whole});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_TRUE(contains(wrong.err, "'clip'")) << wrong.err;
}

TEST(ImageInspect, RefusesMorePixelsThanAsked) {
  const Pictures pictures;  // 29 x 21 = 609
  EXPECT_EQ(run_program({"image", "inspect", "--max-pixels", "609", pictures.whole}).code, 0);
  const test::Ran ran = run_program({"image", "inspect", "--json", "--max-pixels", "608", pictures.whole});
  EXPECT_EQ(ran.code, 4);
  EXPECT_TRUE(contains(ran.json_lines().at(0)["error"], "29 x 21")) << ran.out;
}

TEST(ImageInspect, PrintsJsonForANameThatIsNotUtf8) {
  const Pictures pictures;
  const test::Ran ran = run_program({"image", "inspect", "--json", (pictures.dir / "\xff.jpg").string()});
  EXPECT_EQ(ran.code, 3);
  EXPECT_TRUE(ran.json_lines().at(0).contains("error"));
}

}  // namespace
}  // namespace vise::cli
