#include "extract/images/transform/transform.h"
#include "base/error.h"
#include "tests/shared.h"

namespace vise::images {
namespace {

Image gradient(std::uint32_t width, std::uint32_t height) {
  Image image{width, height, {}};
  for (std::uint32_t y = 0; y < height; ++y) {
    for (std::uint32_t x = 0; x < width; ++x) {
      for (std::uint32_t c = 0; c < 3; ++c) image.pixels.push_back(static_cast<std::uint8_t>(x * 3 + y * 7 + c * 40));
    }
  }
  return image;
}

std::vector<std::uint8_t> pixels(const Transform& transform, const Image& image) {
  std::vector<std::uint8_t> rgb(transform.bytes());
  transform.pixels(image, rgb);
  return rgb;
}

TEST(Transform, EveryPresetIsReadBackFromItsNameAndItsSettings) {
  for (const std::string& name : transform_names()) {
    const Transform transform = Transform::parse(name);
    EXPECT_EQ(transform.name(), name);
    const Transform plain(transform.spec());
    EXPECT_EQ(Transform::parse(plain.name()).spec(), transform.spec()) << plain.name();
    EXPECT_EQ(plain.describe(), transform.describe());
    EXPECT_EQ(transform.width(), 224u);
  }
}

TEST(Transform, SettingsMayChangeAPreset) {
  const Transform transform = Transform::parse("imagenet,resize=232");
  EXPECT_EQ(transform.name(), "imagenet-v2");
  EXPECT_EQ(transform.spec(), Transform::parse("imagenet-v2").spec());
}

TEST(Transform, DescriptionsDifferWhereverResultsDo) {
  std::vector<std::string> seen;
  for (const std::string& name : transform_names()) {
    const std::string text = canonical_json(Transform::parse(name).describe());
    EXPECT_EQ(std::count(seen.begin(), seen.end(), text), 0) << name;
    seen.push_back(text);
  }
}

TEST(Transform, RefusesNonsenseWithAHint) {
  for (const char* text :
       {"imagnet", "", "resize=0,crop=224", "resize=x", "filter=lanczos", "mean=1/2", "std=0/1/1", "crop=none",
        "crop=none,resize=256", "crop=5000", "order=grb", "rezise=224", "resize=256,imagenet"}) {
    try {
      Transform::parse(text);
      ADD_FAILURE() << text << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage) << text;
    }
  }
  try {
    Transform::parse("imagnet");
  } catch (const Error& error) {
    EXPECT_NE(error.hint().find("'imagenet'"), std::string::npos) << error.hint();
  }
}

// torchvision's int(round((excess) / 2.0)) rounds halves to even: excess 1 and 5 give 0 and 2, 3 gives 2.
TEST(Transform, CropsCentrallyWithPythonsRounding) {
  const struct { std::uint32_t side, begin; } cases[] = {{4, 0}, {5, 0}, {6, 1}, {7, 2}, {8, 2}, {9, 2}, {11, 4}};
  for (const auto& [side, begin] : cases) {
    const Image image = gradient(side, side);
    const auto result = pixels(Transform::parse("crop=4"), image);
    const std::size_t first = (std::size_t{begin} * side + begin) * 3;
    EXPECT_EQ(result[0], image.pixels[first]) << side;
    EXPECT_EQ(result[1], image.pixels[first + 1]) << side;
  }
}

// torchvision's center_crop pads (crop - size) / 2 zeros before and the rest after.
TEST(Transform, PadsPicturesSmallerThanTheCropWithZeros) {
  const Image image{2, 1, {1, 2, 3, 4, 5, 6}};
  const auto result = pixels(Transform::parse("crop=5"), image);
  std::vector<std::uint8_t> expected(5 * 5 * 3, 0);
  for (std::size_t i = 0; i < 6; ++i) expected[(2 * 5 + 1) * 3 + i] = static_cast<std::uint8_t>(i + 1);
  EXPECT_EQ(result, expected);
}

TEST(Transform, LongEdgeIsTruncated) {
  // 375 x 500, shorter edge to 256: 256 * 500 / 375 = 341.33 rows, of which the crop takes the middle.
  const Image image = gradient(375, 500);
  const Image whole = resize(image, 256, 341, Filter::bilinear);
  const auto result = pixels(Transform::parse("imagenet"), image);
  const std::size_t top = 58, left = 16;  // (341 - 224) / 2 = 58.5, to even; (256 - 224) / 2
  for (std::size_t y = 0; y < 224; ++y) {
    const auto* row = whole.pixels.data() + ((top + y) * 256 + left) * 3;
    ASSERT_TRUE(std::equal(row, row + 224 * 3, result.data() + y * 224 * 3)) << y;
  }
}

TEST(Transform, NormalisesInFloatInTorchvisionsOrder) {
  const Transform transform = Transform::parse("imagenet,crop=2");
  const std::vector<std::uint8_t> rgb = {0, 128, 255, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  std::vector<float> chw(12);
  transform.normalise(rgb, chw.data());
  const float mean[] = {0.485f, 0.456f, 0.406f}, deviation[] = {0.229f, 0.224f, 0.225f};
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t c = 0; c < 3; ++c) {
      const float scaled = static_cast<float>(rgb[i * 3 + c]) / 255.0f;
      EXPECT_EQ(chw[c * 4 + i], (scaled - mean[c]) / deviation[c]);
    }
  }
  // torch: ((torch.tensor([0., 128.]) / 255) - .485) / .229 and so on, printed with 9 digits.
  EXPECT_EQ(chw[0], -2.11790395f);
  EXPECT_EQ(chw[4], 0.205182195f);
  EXPECT_EQ(chw[8], 2.64000010f);
}

TEST(Transform, GivesBlueGreenRedWhereOrderSaysSo) {
  const std::vector<std::uint8_t> rgb = {0, 128, 255, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  std::vector<float> red_first(12), blue_first(12);
  Transform::parse("imagenet,crop=2").normalise(rgb, red_first.data());
  Transform::parse("imagenet,crop=2,order=bgr").normalise(rgb, blue_first.data());
  for (std::size_t c = 0; c < 3; ++c)
    for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(blue_first[c * 4 + i], red_first[(2 - c) * 4 + i]);
  EXPECT_EQ(Transform::parse("imagenet,order=rgb").name(), "imagenet");
  EXPECT_EQ(Transform::parse("order=bgr").name(), "filter=bilinear,crop=224,mean=0/0/0,std=1/1/1,order=bgr");
}

// deploy.prototxt's networks were trained on values of 0 to 255 less the mean pixel 104.00698793, 116.66876762,
// 122.67891434 of ilsvrc_2012_mean.npy, blue first.
TEST(Transform, CaffeTakesTheMeanPixelFromUnscaledValues) {
  std::vector<float> chw(12);
  Transform::parse("caffe,crop=2").normalise(std::vector<std::uint8_t>(12, 200), chw.data());
  EXPECT_NEAR(chw[0], 200 - 104.00698793, 2e-5);
  EXPECT_NEAR(chw[4], 200 - 116.66876762, 2e-5);
  EXPECT_NEAR(chw[8], 200 - 122.67891434, 2e-5);
}

TEST(Transform, RefusesAPictureThatPillowCannotHold) {
  const Image sliver{10'000'000, 1, std::vector<std::uint8_t>(30'000'000)};
  EXPECT_THROW(pixels(Transform::parse("imagenet"), sliver), Error);
}

}  // namespace
}  // namespace vise::images
