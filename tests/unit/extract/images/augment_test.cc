#include "extract/images/transform/augment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "base/error.h"

namespace vise::images {
namespace {

struct Crop {
  std::uint32_t width, height;
  double least_area;
  std::vector<double> draws;        // uniform numbers, in a circle
  std::vector<std::uint32_t> want;  // left, top, width, height
};

// RandomResizedCrop.get_params of torchvision 0.14.1 in Python's arithmetic (its round() takes halves to even), with
// its random numbers replaced by those given: uniform_(a, b) by a + (b - a) u, randint(n) by int(u n).
const std::vector<Crop> kCrops = {
    {500, 375, 0.08, {0.5, 0.5, 0.25, 0.75}, {137, 14, 318, 318}},
    {500, 375, 0.08, {0.0, 0.0, 0.999, 0.0}, {0, 234, 106, 141}},
    {500, 375, 0.08, {0.999, 0.999, 0.3, 0.3}, {0, 0, 500, 375}},
    {224, 224, 0.08, {0.1, 0.9, 0.5, 0.5}, {60, 71, 104, 83}},
    {7, 5, 0.08, {0.0, 0.5, 0.9, 0.9}, {5, 3, 2, 2}},
    {1024, 768, 0.25, {0.33, 0.66, 0.125, 0.5}, {185, 21, 655, 597}},
    {10, 14, 1, {0, 0, 0, 0}, {0, 0, 10, 14}},
    {15, 11, 1, {0, 1, 0, 1}, {1, 0, 15, 11}},
    // Ten tries fail: the largest central part.
    {1000, 100, 0.9, {0.9, 0.9, 0.9, 0.9}, {433, 0, 133, 100}},
    {100, 1000, 0.9, {0.2, 0.1, 0.2, 0.1}, {0, 433, 100, 133}},
    {301, 299, 1, {0, 1, 0, 1}, {0, 0, 301, 299}},
    {10, 15, 1, {0, 0, 0, 0}, {0, 1, 10, 13}},
};

CropDraws given(const std::vector<double>& values, std::size_t& at) {
  const auto next = [&] { return values[at++ % values.size()]; };
  return {next, [next](std::uint32_t limit) { return static_cast<std::uint32_t>(next() * limit); }};
}

TEST(RandomResizedCrop, IsTorchvisionsForTheSameDraws) {
  for (const Crop& crop : kCrops) {
    std::size_t at = 0;
    const SourceWindow w = random_resized_crop(crop.width, crop.height, crop.least_area, given(crop.draws, at));
    EXPECT_EQ((std::vector<std::uint32_t>{w.left, w.top, w.width, w.height}), crop.want)
        << crop.width << " x " << crop.height;
  }
}

TEST(RandomCrop, DrawsTopThenLeftOfEveryPlaceThatFits) {
  std::size_t at = 0;
  const std::vector<double> draws{0.999, 0.0};
  const SourceWindow w = random_crop(300, 256, 224, given(draws, at));
  EXPECT_EQ(w.top, 32u);
  EXPECT_EQ(w.left, 0u);
  RandomStream random("test/crop", 0);
  std::vector<int> seen(5);
  const CropDraws real{[&] { return random.uniform(); },
                       [&](std::uint32_t limit) { return static_cast<std::uint32_t>(random.below(limit)); }};
  for (int i = 0; i < 200; ++i) ++seen[random_crop(14, 10, 10, real).left];
  EXPECT_TRUE(std::all_of(seen.begin(), seen.end(), [](int n) { return n > 15; }));
}

TEST(RandomCrop, DrawsNothingWhereThePictureIsTheCrop) {
  std::size_t at = 0;
  const std::vector<double> draws{0.5};
  random_crop(224, 224, 224, given(draws, at));
  EXPECT_EQ(at, 0u);
}

Image gradient(std::uint32_t width, std::uint32_t height) {
  Image image{width, height, {}};
  for (std::uint32_t y = 0; y < height; ++y) {
    for (std::uint32_t x = 0; x < width; ++x) {
      for (std::uint32_t c = 0; c < 3; ++c) image.pixels.push_back(static_cast<std::uint8_t>(x * 5 + y * 9 + c * 40));
    }
  }
  return image;
}

std::vector<std::uint8_t> augmented(const Image& image, const Transform& transform, const Augmentation& how,
                                    std::uint64_t seed) {
  RandomStream random("test/augment", seed);
  std::vector<std::uint8_t> rgb(transform.bytes());
  augmented_pixels(image, transform, how, random, rgb);
  return rgb;
}

TEST(AugmentedPixels, AreTheTransformsOrItsMirrorImageWithoutACrop) {
  const Image image = gradient(40, 30);
  const Transform transform = Transform::parse("resize=20,crop=16");
  std::vector<std::uint8_t> plain(transform.bytes()), mirrored;
  transform.pixels(image, plain);
  for (std::size_t i = 0; i < plain.size(); i += 3) {
    const std::size_t row = i / 48, x = i / 3 % 16, from = row * 48 + (15 - x) * 3;
    mirrored.insert(mirrored.end(), {plain[from], plain[from + 1], plain[from + 2]});
  }
  int flips = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const auto rgb = augmented(image, transform, {Cropping::none, 1, true}, seed);
    EXPECT_TRUE(rgb == plain || rgb == mirrored);
    flips += rgb == mirrored;
  }
  EXPECT_GT(flips, 8);
  EXPECT_LT(flips, 32);
  EXPECT_EQ(augmented(image, transform, {Cropping::none, 1, false}, 0), plain);
}

TEST(AugmentedPixels, CropsAreWindowsOfTheResizedPicture) {
  const Image image = gradient(40, 30);
  const Transform transform = Transform::parse("resize=20,crop=16");
  const Image small = resize(image, 26, 20, Filter::bilinear);  // int(20 * 40 / 30) = 26
  const auto rgb = augmented(image, transform, {Cropping::crop, 1, false}, 3);
  bool found = false;
  for (std::uint32_t top = 0; top <= 4; ++top) {
    for (std::uint32_t left = 0; left <= 10; ++left) {
      bool same = true;
      for (std::uint32_t y = 0; y < 16 && same; ++y)
        same = std::equal(&rgb[y * 48], &rgb[y * 48] + 48, &small.pixels[((top + y) * 26 + left) * 3]);
      found = found || same;
    }
  }
  EXPECT_TRUE(found);
  EXPECT_THROW(augmented(gradient(8, 8), Transform::parse("crop=16"), {Cropping::crop, 1, false}, 0), Error);
}

TEST(AugmentedPixels, ResizedCropsOfTheWholePictureAreTheResizedPicture) {
  const Image image = gradient(32, 32);  // with an area share of 1 only a square of all of it fits
  const Transform transform = Transform::parse("resize=20,crop=16");
  EXPECT_EQ(augmented(image, transform, {Cropping::resized_crop, 1, false}, 5),
            resize(image, 16, 16, Filter::bilinear).pixels);
}

}  // namespace
}  // namespace vise::images
