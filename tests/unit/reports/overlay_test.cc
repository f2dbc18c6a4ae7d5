#include "reports/overlay.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace vise::reports {
namespace {

constexpr std::size_t kSide = 32;

images::Image grey() { return {kSide, kSide, std::vector<std::uint8_t>(kSide * kSide * 3, 100)}; }

std::array<int, 3> at(const images::Image& image, std::size_t x, std::size_t y) {
  const std::uint8_t* const pixel = image.pixels.data() + (y * kSide + x) * 3;
  return {pixel[0], pixel[1], pixel[2]};
}

// 100 + 0.75 (colour - 100), in the middle of each quarter: warm 226, 60, 30, cold 40, 96, 214.
TEST(Overlay, IsWarmForTheClassAndColdAgainstIt) {
  const images::Image seen = overlay(grey(), {2, 2, {4, -4, 0, 2}, 0.5}, 0);
  EXPECT_EQ(at(seen, 2, 2), (std::array{194, 70, 48}));
  EXPECT_EQ(at(seen, 29, 2), (std::array{55, 97, 186}));
  EXPECT_EQ(at(seen, 2, 29), (std::array{100, 100, 100}));
  EXPECT_EQ(at(seen, 29, 29), (std::array{147, 85, 74}));
}

TEST(Overlay, FadesBetweenPlaces) {
  const images::Image seen = overlay(grey(), {1, 2, {4, 0}, 0.5}, 0);
  for (std::size_t x = 1; x < kSide; ++x) EXPECT_LE(at(seen, x, 16)[0], at(seen, x - 1, 16)[0]);
  EXPECT_NEAR(at(seen, 16, 16)[0], 100 + 0.75 * 126 * (0.5 - 1.0 / kSide), 1);  // half a pixel right of the middle
}

TEST(Overlay, LeavesWhatTheNetworkDidNotSee) {
  const images::Image seen = overlay(grey(), {1, 1, {-1}, 0.5}, 0.125);
  for (std::size_t y = 0; y < kSide; ++y)
    for (std::size_t x = 0; x < kSide; ++x) {
      const bool inside = x >= 4 && x < 28 && y >= 4 && y < 28;
      EXPECT_EQ(at(seen, x, y), inside ? (std::array{55, 97, 186}) : (std::array{100, 100, 100})) << x << " " << y;
    }
}

// 100 + 0.75 (colour - 100): 240, 160, 20.
TEST(Overlay, OfAttentionIsOneColourFromTheLeastToTheLargestShare) {
  const std::vector<float> shares{0.1F, 0.3F, 0.2F, 0.1F};
  const images::Image seen = overlay(grey(), shares, 2, 2, 0);
  EXPECT_EQ(at(seen, 2, 2), (std::array{100, 100, 100}));
  EXPECT_EQ(at(seen, 29, 2), (std::array{205, 145, 40}));
  EXPECT_EQ(at(seen, 2, 29), (std::array{152, 122, 70}));
  const std::vector<float> even(4, 0.25F);
  EXPECT_EQ(overlay(grey(), even, 2, 2, 0).pixels, grey().pixels);
}

TEST(Overlay, OfNoEvidenceIsTheThumbnail) {
  EXPECT_EQ(overlay(grey(), {2, 2, {0, 0, 0, 0}, 0}, 0).pixels, grey().pixels);
  EXPECT_EQ(overlay(grey(), {1, 1, {1}, 0}, 0.5).pixels, grey().pixels);
}

}  // namespace
}  // namespace vise::reports
