#include "extract/images/inspect_image.h"

#include "extract/images/parity_images.h"
#include "tests/shared.h"

namespace vise::images {
namespace {

TEST(PixelParity, HoldsOnThisMachine) {
  const auto checks = pixel_parity_selftest();
  EXPECT_EQ(checks.size(), parity_images().size() * 3);
  for (const ParityCheck& check : checks) EXPECT_TRUE(check.passed) << check.name << ": " << check.detail;
}

TEST(InspectImage, ShowsWhatWasSeen) {
  const test::ScratchDir dir;
  const ParityImage& known = parity_images().front();
  write_file_atomically(dir / "a.png", std::as_bytes(known.file));  // a JPEG under a wrong name
  const Json json = inspect_image(dir / "a.png", Transform::parse("imagenet"));
  EXPECT_EQ(json["format"], "JPEG");
  EXPECT_EQ(json["mode"], "RGB");
  EXPECT_EQ(json["width"], 29);
  EXPECT_EQ(json["height"], 21);
  EXPECT_TRUE(json["exif_orientation"].is_null());
  EXPECT_EQ(json["rgb_sha256"], known.rgb_sha256);
  EXPECT_EQ(json["pixels_sha256"], known.bilinear_sha256);
}

TEST(InspectImage, AnErrorIsALineToo) {
  const test::ScratchDir dir;
  const ParityImage& known = parity_images().front();
  write_file_atomically(dir / "cut.jpg", std::as_bytes(known.file).first(known.file.size() - 9));
  const Json cut = inspect_image(dir / "cut.jpg", Transform::parse("imagenet"));
  EXPECT_EQ(cut["error"], (dir / "cut.jpg").string() + ": the JPEG is cut short");
  EXPECT_FALSE(cut.contains("rgb_sha256"));
  EXPECT_TRUE(inspect_image(dir / "none.jpg", Transform::parse("imagenet")).contains("error"));
}

}  // namespace
}  // namespace vise::images
