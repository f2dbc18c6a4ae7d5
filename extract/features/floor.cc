#include "extract/features/floor.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>

namespace vise::features {
namespace {

using QuantisationTable = std::array<int, 64>;  // in zigzag order, as files have it

// The luminance table of the JPEG standard, ITU-T T.81, Table K.1, which libjpeg scales
// by its quality setting.
constexpr QuantisationTable kLuminance{16, 11, 12,  14,  12,  10, 16, 14,  13,  14,  18,  17,  16, 19,  24,  40,
                                       26, 24, 22,  22,  24,  49, 35, 37,  29,  40,  58,  51,  61, 60,  57,  51,
                                       56, 55, 64,  72,  92,  78, 64, 68,  87,  69,  55,  56,  80, 109, 81,  87,
                                       95, 98, 103, 104, 103, 62, 77, 113, 121, 112, 100, 120, 92, 101, 103, 99};

int byte_at(ByteView bytes, std::size_t at) { return at < bytes.size() ? std::to_integer<int>(bytes[at]) : 0; }
std::size_t word_at(ByteView bytes, std::size_t at) {
  return static_cast<std::size_t>(byte_at(bytes, at) << 8 | byte_at(bytes, at + 1));
}

// The first table of the first DQT segment before the picture's data; false where there is none.
bool find_table(ByteView bytes, QuantisationTable& table) {
  constexpr int kScan = 0xDA, kTables = 0xDB;
  if (byte_at(bytes, 0) != 0xFF || byte_at(bytes, 1) != 0xD8) return false;
  // Segments are a marker 0xFF xx and a length of two bytes that counts itself (T.81, section B.1.1.4).
  for (std::size_t at = 2; at + 4 <= bytes.size() && byte_at(bytes, at) == 0xFF;) {
    const int marker = byte_at(bytes, at + 1);
    if (marker == 0xFF) {  // a fill byte
      ++at;
      continue;
    }
    const std::size_t length = word_at(bytes, at + 2);
    if (marker == kScan || length < 2) return false;
    if (marker == kTables) {
      // The high half of this byte is the precision (0: 8 bits, 1: 16 bits), the low half
      // the table's number (T.81, section B.2.4.1).
      const bool wide = byte_at(bytes, at + 4) >> 4;
      for (std::size_t k = 0; k < table.size(); ++k)
        table[k] = wide ? static_cast<int>(word_at(bytes, at + 5 + 2 * k)) : byte_at(bytes, at + 5 + k);
      return length >= 2 + 1 + table.size() * (wide ? 2 : 1);
    }
    at += 2 + length;
  }
  return false;
}

// How far the file's table is from libjpeg's at this quality: the sum of absolute differences over the 64 entries.
int distance(const QuantisationTable& table, int quality) {
  // libjpeg's jpeg_quality_scaling: in per cent, 100 at quality 50; the sum below rounds
  // as jpeg_add_quant_table does.
  const int scale = quality < 50 ? 5000 / quality : 200 - 2 * quality;
  int sum = 0;
  for (std::size_t k = 0; k < table.size(); ++k)
    sum += std::abs(table[k] - std::clamp((kLuminance[k] * scale + 50) / 100, 1, 255));
  return sum;
}

}  // namespace

// Cells of 32 values a channel, so that the upper three bits of each are the place.
std::vector<float> colour_histogram(const images::Image& image) {
  std::array<std::uint64_t, kColourHistogramDim> counts{};
  for (std::size_t i = 0; i + 2 < image.pixels.size(); i += 3)
    ++counts[(image.pixels[i] >> 5) * 64u + (image.pixels[i + 1] >> 5) * 8u + (image.pixels[i + 2] >> 5)];
  const double total = static_cast<double>(image.pixels.size() / 3);
  std::vector<float> row(kColourHistogramDim);
  for (std::size_t i = 0; i < row.size(); ++i)
    row[i] = static_cast<float>(std::sqrt(static_cast<double>(counts[i]) / total));
  return row;
}

std::vector<float> image_metadata(const DecodedFile& file) {
  const double width = file.image.width, height = file.image.height, bytes = static_cast<double>(file.bytes.size());
  const int quality = jpeg_quality(file.bytes);
  // Logarithms, since sizes spread over orders of magnitude; the last entry tells "no
  // JPEG" from a low quality.
  const double facts[kImageMetadataDim] = {std::log2(width),          std::log2(height),
                                           std::log2(width / height), std::abs(std::log2(width / height)),
                                           std::log2(bytes),          8 * bytes / (width * height),
                                           quality / 100.0,           quality > 0 ? 1.0 : 0.0};
  return {std::begin(facts), std::end(facts)};
}

// Of qualities with equal tables the highest counts, as the loop goes up.
int jpeg_quality(ByteView bytes) {
  QuantisationTable table{};
  if (!find_table(bytes, table)) return 0;
  int best = 1;
  for (int quality = 2; quality <= 100; ++quality)
    if (distance(table, quality) <= distance(table, best)) best = quality;
  return best;
}

}  // namespace vise::features
