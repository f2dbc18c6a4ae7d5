#include "extract/images/shown.h"

#include <gtest/gtest.h>

namespace vise::images {
namespace {

// Red counts columns, green rows.
Image counted(std::uint32_t width, std::uint32_t height) {
  Image image{width, height, {}};
  for (std::uint32_t y = 0; y < height; ++y)
    for (std::uint32_t x = 0; x < width; ++x)
      for (const std::uint32_t value : {10 * x, 10 * y, 7U}) image.pixels.push_back(static_cast<std::uint8_t>(value));
  return image;
}

TEST(MiddleSquare, IsTheMeanOfWhatEachPixelCovers) {
  const Image square = middle_square(counted(8, 4), 2);  // columns 2 to 5
  EXPECT_EQ(square.width, 2U);
  EXPECT_EQ(square.height, 2U);
  EXPECT_EQ(square.pixels, (std::vector<std::uint8_t>{25, 5, 7, 45, 5, 7, 25, 25, 7, 45, 25, 7}));
}

TEST(MiddleSquare, OfASmallerPictureIsSmooth) {
  const Image square = middle_square(counted(2, 3), 8);
  EXPECT_EQ(square.pixels.size(), 8U * 8 * 3);
  EXPECT_GT(square.pixels[3 * 3], 0);  // between 0 and 10
  EXPECT_LT(square.pixels[3 * 3], 10);
}

TEST(Fitted, KeepsTheShapeAndEnlargesNothing) {
  const Image small = fitted(counted(20, 10), 10);
  EXPECT_EQ(small.width, 10U);
  EXPECT_EQ(small.height, 5U);
  EXPECT_EQ(small.pixels[3], 25);  // the second pixel's mean of columns 2 and 3
  EXPECT_EQ(fitted(counted(20, 10), 100).pixels, counted(20, 10).pixels);
  EXPECT_EQ(fitted(counted(20, 1), 2).height, 1U);
}

}  // namespace
}  // namespace vise::images
