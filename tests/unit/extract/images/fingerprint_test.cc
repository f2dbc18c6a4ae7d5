#include "extract/images/fingerprint.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "base/error.h"
#include "base/random.h"
#include "datasets/png.h"
#include "extract/images/transform/resample.h"
#include "tests/shared.h"

namespace vise::images {
namespace {

// Soft coloured blobs: as smooth as photographs are.
Image blobs(std::uint64_t seed, std::uint32_t width = 200, std::uint32_t height = 150) {
  RandomStream random("blobs", seed);
  Image image{width, height, std::vector<std::uint8_t>(std::size_t{width} * height * 3, 90)};
  for (int blob = 0; blob < 12; ++blob) {
    const double x0 = static_cast<double>(random.below(width)), y0 = static_cast<double>(random.below(height)),
                 radius = 15 + static_cast<double>(random.below(50));
    const std::uint8_t colour[] = {static_cast<std::uint8_t>(random.below(256)),
                                   static_cast<std::uint8_t>(random.below(256)),
                                   static_cast<std::uint8_t>(random.below(256))};
    for (std::uint32_t y = 0; y < height; ++y)
      for (std::uint32_t x = 0; x < width; ++x) {
        const double share = std::exp(-(std::pow(x - x0, 2) + std::pow(y - y0, 2)) / radius / radius);
        for (std::size_t c = 0; c < 3; ++c) {
          std::uint8_t& value = image.pixels[(std::size_t{y} * width + x) * 3 + c];
          value = static_cast<std::uint8_t>(std::lround(value + share * (colour[c] - value)));
        }
      }
  }
  return image;
}

bool alike(const datasets::Fingerprint& one, const datasets::Fingerprint& other) {
  const datasets::SimilarOptions options;
  return std::popcount(one.bits ^ other.bits) <= options.bits &&
         datasets::thumbnail_correlation(one, other) >= options.correlation;
}

TEST(Fingerprint, SurvivesResizingAndBrightening) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Image image = blobs(seed);
    const datasets::Fingerprint print = fingerprint_of(image);
    EXPECT_TRUE(alike(print, fingerprint_of(resize(image, 100, 75, Filter::bicubic)))) << seed;
    Image dimmed = image;
    for (std::uint8_t& value : dimmed.pixels) value = static_cast<std::uint8_t>(value * 4 / 5);
    EXPECT_TRUE(alike(print, fingerprint_of(dimmed))) << seed;
  }
}

TEST(Fingerprint, TellsOtherPicturesApart) {
  std::vector<datasets::Fingerprint> prints;
  for (std::uint64_t seed = 0; seed < 20; ++seed) prints.push_back(fingerprint_of(blobs(seed)));
  for (std::size_t a = 0; a < prints.size(); ++a)
    for (std::size_t b = 0; b < a; ++b) EXPECT_FALSE(alike(prints[a], prints[b])) << a << ' ' << b;
}

TEST(Fingerprint, OfABlankPictureIsNotUsable) {
  const Image grey{40, 30, std::vector<std::uint8_t>(40 * 30 * 3, 128)};
  EXPECT_FALSE(fingerprint_of(grey).usable);
  EXPECT_TRUE(fingerprint_of(blobs(1)).usable);
}

TEST(PictureFacts, KeepPixelsApartFromBytesAndSayWhyNot) {
  const Image image = blobs(3, 60, 50);
  const std::string png = datasets::png_bytes(image.pixels, image.width, image.height, 3);
  const datasets::PictureFacts facts = picture_facts(as_byte_view(png), "a.png");
  EXPECT_TRUE(facts.error.empty());
  EXPECT_EQ(facts.width, 60u);
  EXPECT_EQ(facts.pixels, content_hash(std::as_bytes(std::span(image.pixels))));
  EXPECT_NE(picture_facts(as_byte_view(png.substr(0, 200)), "cut.png").error.find("cut.png"), std::string::npos);
}

TEST(PngThumbnail, KeepsTheShapeAndFits) {
  const ImageHeader header = read_image_header(as_byte_view(png_thumbnail(blobs(5), 50)), "thumbnail");
  EXPECT_EQ(header.width, 50u);
  EXPECT_EQ(header.height, 38u);
}

// Photographs of other people are no near-duplicates of each other, however alike their framing.
TEST(Fingerprint, FindsNoPairsAmongDifferentFaces) {
  VISE_NEEDS_SHARED();
  std::vector<datasets::Fingerprint> prints;
  for (int i = 1; i <= 60; ++i) {
    const Path path = test::shared_dir() / "data/datasets/omi300/images" / fmt::format("{}.jpg", i);
    if (!std::filesystem::exists(path)) continue;
    prints.push_back(fingerprint_of(decode_image(read_file(path), path.string())));
  }
  ASSERT_GT(prints.size(), 20u);
  Silent log;
  EXPECT_TRUE(datasets::similar_pairs(prints, {}, {.log = log}).empty());
}

}  // namespace
}  // namespace vise::images
