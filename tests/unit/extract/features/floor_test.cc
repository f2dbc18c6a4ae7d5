// Features without a network; JPEG qualities against libjpeg's own encoder.
#include "extract/features/floor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>

#include <jpeglib.h>

namespace vise::features {
namespace {

// A grey 16 x 8 picture as libjpeg writes it.
std::vector<std::byte> jpeg(int quality) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* out = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &out, &size);
  info.image_width = 16;
  info.image_height = 8;
  info.input_components = 1;
  info.in_color_space = JCS_GRAYSCALE;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, quality, TRUE);
  jpeg_start_compress(&info, TRUE);
  std::vector<unsigned char> row(16, 90);
  for (int y = 0; y < 8; ++y) {
    unsigned char* rows[] = {row.data()};
    jpeg_write_scanlines(&info, rows, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  const auto* begin = reinterpret_cast<const std::byte*>(out);
  std::vector<std::byte> bytes(begin, begin + size);
  std::free(out);
  return bytes;
}

TEST(Floor, TellsTheQualityThatLibjpegWasGiven) {
  for (const int quality : {1, 5, 10, 25, 49, 50, 51, 75, 85, 90, 95, 99, 100})
    EXPECT_EQ(jpeg_quality(jpeg(quality)), quality);
}

TEST(Floor, WhatIsNoJpegOrEndsTooSoonHasNoQuality) {
  const std::vector<std::byte> whole = jpeg(80);
  EXPECT_EQ(jpeg_quality({}), 0);
  EXPECT_EQ(jpeg_quality(std::vector<std::byte>(100, std::byte{0xFF})), 0);
  for (std::size_t size = 0; size < 20; ++size) EXPECT_EQ(jpeg_quality(ByteView(whole).first(size)), 0) << size;
}

TEST(Floor, MetadataAreSizeAspectBytesAndQuality) {
  const std::vector<std::byte> bytes = jpeg(80);
  const images::Image image{16, 8, std::vector<std::uint8_t>(16 * 8 * 3)};
  const std::vector<float> row = image_metadata({bytes, image});
  const double size = static_cast<double>(bytes.size());
  const std::vector<float> expected{4,    3, 1, 1, static_cast<float>(std::log2(size)), static_cast<float>(size / 16),
                                    0.8F, 1};
  EXPECT_EQ(row, expected);
}

TEST(Floor, ColourHistogramIsHellingersRoot) {
  const images::Image image{2, 2, {255, 0, 0, 255, 0, 0, 255, 0, 0, 0, 0, 255}};
  const std::vector<float> row = colour_histogram(image);
  ASSERT_EQ(row.size(), kColourHistogramDim);
  EXPECT_FLOAT_EQ(row[7 * 64], std::sqrt(0.75F));
  EXPECT_FLOAT_EQ(row[7], 0.5F);
}

}  // namespace
}  // namespace vise::features
