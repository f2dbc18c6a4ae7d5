#include "extract/floor.h"

#include <array>
#include <cmath>
#include <cstdint>

namespace vise {

std::vector<float> colour_histogram(const Image& image) {
  std::array<std::uint64_t, kColourHistogramDim> counts{};
  for (std::size_t i = 0; i + 2 < image.pixels.size(); i += 3)
    ++counts[(image.pixels[i] >> 5) * 64u + (image.pixels[i + 1] >> 5) * 8u + (image.pixels[i + 2] >> 5)];
  const double total = static_cast<double>(image.pixels.size() / 3);
  std::vector<float> row(kColourHistogramDim);
  for (std::size_t i = 0; i < row.size(); ++i)
    row[i] = static_cast<float>(std::sqrt(static_cast<double>(counts[i]) / total));
  return row;
}

}  // namespace vise
