#include "extract/images/fingerprint.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "base/error.h"
#include "datasets/png.h"
#include "extract/images/shown.h"
#include "extract/images/transform/resample.h"

namespace vise::images {
namespace {

// 32 x 32 grey values and the 8 x 8 lowest frequencies of their cosine transform are the usual
// perceptual hash (pHash); the thumbnail settles what 63 bits leave open.
constexpr std::size_t kSide = 32, kLow = 8, kThumb = 16;
// Pictures whose grey values spread less than this are blank to the eye; noise decides the signs of their frequencies.
constexpr double kFlat = 2.0;

using Grey = std::array<double, kSide * kSide>;

// ITU-R 601 luma.
Grey grey_of(const Image& image) {
  const Image small = resize(image, kSide, kSide, Filter::bilinear);
  Grey grey;
  for (std::size_t i = 0; i < grey.size(); ++i)
    grey[i] = 0.299 * small.pixels[3 * i] + 0.587 * small.pixels[3 * i + 1] + 0.114 * small.pixels[3 * i + 2];
  return grey;
}

double deviation(const Grey& grey) {
  double sum = 0, squares = 0;
  for (const double value : grey) {
    sum += value;
    squares += value * value;
  }
  const double n = static_cast<double>(grey.size());
  // Rounding can make the variance of a flat picture slightly negative.
  return std::sqrt(std::max(0.0, squares / n - sum * sum / n / n));
}

// DCT-II, the kLow x kLow lowest frequencies; scale doesn't matter to signs about the median.
std::array<double, kLow * kLow> low_frequencies(const Grey& grey) {
  static const auto cosine = [] {
    std::array<std::array<double, kSide>, kLow> table{};
    for (std::size_t u = 0; u < kLow; ++u)
      for (std::size_t x = 0; x < kSide; ++x)
        table[u][x] = std::cos(std::numbers::pi * static_cast<double>(u) * (static_cast<double>(x) + 0.5) / kSide);
    return table;
  }();
  // The transform separates: first along rows, then the result along columns. The sums run in
  // a fixed order, since a print's bits are signs.
  std::array<double, kLow * kSide> rows{};  // u x y
  for (std::size_t y = 0; y < kSide; ++y)
    for (std::size_t u = 0; u < kLow; ++u)
      for (std::size_t x = 0; x < kSide; ++x) rows[u * kSide + y] += cosine[u][x] * grey[y * kSide + x];
  std::array<double, kLow * kLow> low{};
  for (std::size_t v = 0; v < kLow; ++v)
    for (std::size_t u = 0; u < kLow; ++u)
      for (std::size_t y = 0; y < kSide; ++y) low[v * kLow + u] += cosine[v][y] * rows[u * kSide + y];
  return low;
}

// The mean brightness (entry 0) says nothing of what is seen.
std::uint64_t signs(const std::array<double, kLow * kLow>& low) {
  // About the median of the other 63, so contrast doesn't matter and half of the bits are set. Bit 0 stays 0.
  std::array<double, kLow * kLow - 1> sorted;
  std::copy(low.begin() + 1, low.end(), sorted.begin());
  std::nth_element(sorted.begin(), sorted.begin() + sorted.size() / 2, sorted.end());
  const double median = sorted[sorted.size() / 2];
  std::uint64_t bits = 0;
  for (std::size_t i = 1; i < low.size(); ++i) bits |= std::uint64_t{low[i] > median} << i;
  return bits;
}

}  // namespace

datasets::Fingerprint fingerprint_of(const Image& image) {
  const Grey grey = grey_of(image);
  datasets::Fingerprint print;
  print.usable = deviation(grey) >= kFlat;
  print.bits = signs(low_frequencies(grey));
  // The means of 2 x 2 grey values: half the side of what the bits were made from.
  for (std::size_t y = 0; y < kThumb; ++y)
    for (std::size_t x = 0; x < kThumb; ++x) {
      const std::size_t at = 2 * y * kSide + 2 * x;
      const double mean = (grey[at] + grey[at + 1] + grey[at + kSide] + grey[at + kSide + 1]) / 4;
      print.thumbnail[y * kThumb + x] = static_cast<std::uint8_t>(std::lround(mean));
    }
  return print;
}

datasets::PictureFacts picture_facts(ByteView bytes, std::string_view name_for_messages, const DecodeOptions& options) {
  datasets::PictureFacts facts;
  try {
    const Image image = decode_image(bytes, name_for_messages, options);
    facts.width = image.width;
    facts.height = image.height;
    facts.pixels = content_hash(std::as_bytes(std::span(image.pixels)));
    facts.print = fingerprint_of(image);
  } catch (const Error& error) {
    // A picture that can't be decoded is a finding of the audit; a failing system is not.
    if (error.kind() != ErrorKind::input) throw;
    facts.error = error.message();
  }
  return facts;
}

std::string png_thumbnail(const Image& image, std::uint32_t side) {
  const Image small = fitted(image, side);
  return datasets::png_bytes(small.pixels, small.width, small.height, 3);
}

}  // namespace vise::images
