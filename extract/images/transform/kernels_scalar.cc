#include "extract/images/transform/kernels.h"

namespace vise::images {
namespace {

template <std::size_t bands>
void horizontal(const std::uint8_t* const* rows, const Taps& taps, std::uint8_t* const* out) {
  for (std::size_t x = 0; x < taps.first.size(); ++x) {
    const std::int16_t* halves = taps.at(x);
    for (std::size_t r = 0; r < kRowsAtOnce; ++r) {
      const std::uint8_t* in = rows[r] + std::size_t{taps.first[x]} * bands;
      std::int32_t sums[bands];
      // Pillow starts its sums at 1/2 in fixed point and shifts at the end, which rounds halves up.
      for (std::int32_t& sum : sums) sum = kHalf;
      for (std::size_t t = 0; t < taps.count[x]; ++t) {
        const std::int32_t k = weight(halves, t);
        for (std::size_t b = 0; b < bands; ++b) sums[b] += k * in[t * bands + b];
      }
      for (std::size_t b = 0; b < bands; ++b) out[r][x * bands + b] = clip8(sums[b]);
    }
  }
}

void vertical(const std::uint8_t* const* rows, const std::int16_t* halves, std::size_t taps, std::size_t bytes,
              std::uint8_t* out) {
  // A block of sums stays in the first-level cache while the taps' rows pass over it; a sum
  // a column would read all rows for each.
  constexpr std::size_t kBlock = 256;
  std::int32_t sums[kBlock];
  for (std::size_t begin = 0; begin < bytes; begin += kBlock) {
    const std::size_t n = bytes - begin < kBlock ? bytes - begin : kBlock;
    for (std::size_t i = 0; i < n; ++i) sums[i] = kHalf;
    for (std::size_t t = 0; t < taps; ++t) {
      const std::int32_t k = weight(halves, t);
      for (std::size_t i = 0; i < n; ++i) sums[i] += k * rows[t][begin + i];
    }
    for (std::size_t i = 0; i < n; ++i) out[begin + i] = clip8(sums[i]);
  }
}

}  // namespace

const ResampleKernels kScalarKernels = {"scalar", horizontal<3>, horizontal<1>, vertical};

const ResampleKernels& best_kernels() {
  static const ResampleKernels& best = avx2_kernels() ? *avx2_kernels() : kScalarKernels;
  return best;
}

}  // namespace vise::images
