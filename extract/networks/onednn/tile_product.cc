#include "extract/networks/onednn/tile_product.h"

#include <algorithm>
#include <array>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace vise::networks {

#if defined(__x86_64__)
namespace {

#define VISE_FMA __attribute__((target("avx2,fma")))
// The sums are in registers only if every loop over them is unrolled whole.
#if defined(__clang__)
#define VISE_UNROLL _Pragma("unroll")
#else
#define VISE_UNROLL _Pragma("GCC unroll 8")
#endif

constexpr std::size_t kTallest = 6;  // 2 x 6 sums, 2 weights and 1 value are 15 of the 16 registers

// R tiles by one panel. Measured against oneDNN's own kernels for 1x1 convolutions, which do the same: 0.85 to 1.08 of
// their rate, 80 to 90 % of the arithmetic limit.
template <std::size_t R>
VISE_FMA void multiply_rows(const TileProduct& product, const float* values, const float* panel, float* results) {
  __m256 low[R], high[R];
  VISE_UNROLL for (std::size_t r = 0; r < R; ++r) low[r] = high[r] = _mm256_setzero_ps();
  for (std::size_t i = 0; i < product.in; i += kBlockChannels, values += product.block)
    VISE_UNROLL for (std::size_t c = 0; c < kBlockChannels; ++c, panel += kPanelChannels) {
      const __m256 left = _mm256_load_ps(panel), right = _mm256_load_ps(panel + kBlockChannels);
      VISE_UNROLL for (std::size_t r = 0; r < R; ++r) {
        const __m256 value = _mm256_broadcast_ss(values + r * kBlockChannels + c);
        low[r] = _mm256_fmadd_ps(value, left, low[r]);
        high[r] = _mm256_fmadd_ps(value, right, high[r]);
      }
    }
  VISE_UNROLL for (std::size_t r = 0; r < R; ++r) {
    _mm256_store_ps(results + r * kBlockChannels, low[r]);
    _mm256_store_ps(results + product.block + r * kBlockChannels, high[r]);
  }
}

using Kernel = void (*)(const TileProduct&, const float*, const float*, float*);
// By the number of tiles, so that the loop over them is unrolled in each.
constexpr std::array<Kernel, kTallest + 1> kKernels = {nullptr,          multiply_rows<1>, multiply_rows<2>,
                                                       multiply_rows<3>, multiply_rows<4>, multiply_rows<5>,
                                                       multiply_rows<6>};

// Tiles from `first` to `last`, in rows of nearly equal number, by all panels.
void multiply_stripe(const TileProduct& product, std::size_t first, std::size_t last, const float* values,
                     const float* panels, float* results) {
  const std::size_t groups = (last - first + kTallest - 1) / kTallest;
  for (std::size_t o = 0; o < product.out; o += kPanelChannels)
    for (std::size_t g = 0; g < groups; ++g) {
      const std::size_t begin = first + (last - first) * g / groups, end = first + (last - first) * (g + 1) / groups;
      kKernels[end - begin](product, values + begin * kBlockChannels, panels + o * product.in,
                            results + o / kBlockChannels * product.block + begin * kBlockChannels);
    }
}

}  // namespace

bool has_tile_product() {
  // By what the CPU says at run time: the program is built for any x86-64.
  static const bool has = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  return has;
}

// A stripe's values stay in the second-level cache while all panels pass by.
void multiply_tiles(const TileProduct& product, const float* values, const float* panels, float* results) {
  constexpr std::size_t kStripe = 48 * 1024;  // floats
  const std::size_t tall = std::max<std::size_t>(kStripe / product.in / kTallest, 4) * kTallest;
  const std::size_t stripes = (product.tiles + tall - 1) / tall;
  for (std::size_t s = 0; s < stripes; ++s)
    multiply_stripe(product, product.tiles * s / stripes, product.tiles * (s + 1) / stripes, values, panels, results);
}
#else
bool has_tile_product() { return false; }
void multiply_tiles(const TileProduct&, const float*, const float*, float*) {}
#endif

}  // namespace vise::networks
