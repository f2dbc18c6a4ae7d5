// The three steps, a block of tiles at a time so that what passes between them stays in the cache:
//
//   1. every 6x6 patch d of the source, eight channels at once, becomes B'd B: 36 numbers, one for each of 36 matrices
//   2. 36 matrix products: (tiles x in) times (in x out)
//   3. every tile's 36 products m become A'm A: 4x4 results, to which bias and residual are added
//
// Interpolation points p are 0, +-a, +-b and infinity. With M(x) = x (x^2 - a^2) (x^2 - b^2), B' has the coefficients
// of M(x) / (x - p), and of M(x) for infinity; A' the powers of p; G those of p over the product of p's distances to
// the others. Relative L2 error against double, 64 and 512 channels: direct 3.5e-7 and 9.1e-7; a, b = 5/8, 3/2: 5.0e-7
// and 1.2e-6; a, b = 1, 2: 1.1e-6 and 2.0e-6.
#include "extract/networks/onednn/winograd.h"

#include <algorithm>
#include <array>

#include "extract/networks/onednn/tile_product.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace vise::networks {
namespace {

constexpr std::size_t kPoints = 6, kMatrices = kPoints * kPoints, kTile = 4;
constexpr double kA = 0.625, kB = 1.5;

// 3 weights to 6: a row of G for each point.
std::array<double, kPoints> transform_weights(double w0, double w1, double w2) {
  constexpr double a2 = kA * kA, b2 = kB * kB;
  // The products of distances: a^2 b^2 at 0, 2 a^2 (a^2 - b^2) at a and -a, 2 b^2 (b^2 - a^2) at b and -b.
  constexpr double zero = a2 * b2, at_a = 2 * a2 * (a2 - b2), at_b = 2 * b2 * (b2 - a2);
  return {w0 / zero,
          (w0 + kA * w1 + a2 * w2) / at_a,
          (w0 - kA * w1 + a2 * w2) / at_a,
          (w0 + kB * w1 + b2 * w2) / at_b,
          (w0 - kB * w1 + b2 * w2) / at_b,
          w2};
}

// G w G' of one 3x3 filter, row by row.
std::array<double, kMatrices> transform_filter(const float* w) {
  std::array<std::array<double, kPoints>, 3> columns;
  for (std::size_t j = 0; j < 3; ++j) columns[j] = transform_weights(w[j], w[3 + j], w[6 + j]);
  std::array<double, kMatrices> result;
  for (std::size_t i = 0; i < kPoints; ++i) {
    const auto row = transform_weights(columns[0][i], columns[1][i], columns[2][i]);
    std::copy(row.begin(), row.end(), result.begin() + static_cast<std::ptrdiff_t>(i * kPoints));
  }
  return result;
}

// How many tiles are transformed, multiplied and transformed back at a time.
struct Blocks {
  std::size_t across, tiles, block;   // tiles a row, in all, and a block
  std::size_t channels;               // floats from a block of 8 channels of a matrix to the next
  std::size_t in_matrix, out_matrix;  // floats from matrix to matrix
};

// Blocks and matrices a power of two of floats apart would share few cache sets: both are odd, in tiles and in lines.
std::size_t padded_matrix(std::size_t floats) { return (floats / 16 | 1) * 16; }

Blocks blocks_of(const WinogradConv& conv) {
  constexpr std::size_t kFloats = 256 * 1024;  // of one block before and after the product: 1 MB
  Blocks b;
  b.across = (static_cast<std::size_t>(conv.side) + kTile - 1) / kTile;
  b.tiles = static_cast<std::size_t>(conv.batch) * b.across * b.across;
  const std::size_t in = static_cast<std::size_t>(conv.in), out = static_cast<std::size_t>(conv.out);
  const std::size_t fitting = std::max<std::size_t>(kFloats / (kMatrices * (in + out)), 48);
  const std::size_t count = (b.tiles + fitting - 1) / fitting;
  b.block = (b.tiles + count - 1) / count;
  b.channels = (b.block | 1) * kBlockChannels;
  b.in_matrix = padded_matrix(b.channels * in / kBlockChannels + 16);
  b.out_matrix = padded_matrix(b.channels * out / kBlockChannels + 16);
  return b;
}

#if defined(__x86_64__)
#define VISE_FMA __attribute__((target("avx2,fma")))
#define VISE_FMA_INLINE VISE_FMA __attribute__((always_inline)) inline

constexpr float kA1 = kA, kB1 = kB, kA2 = kA * kA, kB2 = kB * kB, kA3 = kA * kA * kA, kB3 = kB * kB * kB;

VISE_FMA_INLINE __m256 all(float value) { return _mm256_set1_ps(value); }

// B' of six values a stride apart, in place.
VISE_FMA_INLINE void transform_input(__m256* d, std::size_t stride) {
  const __m256 d0 = d[0], d1 = d[stride], d2 = d[2 * stride], d3 = d[3 * stride], d4 = d[4 * stride],
               d5 = d[5 * stride];
  const __m256 product = all(kA2 * kB2), sum = all(kA2 + kB2);
  const __m256 even_a = _mm256_fnmadd_ps(all(kB2), d2, d4), odd_a = _mm256_fnmadd_ps(all(kB2), d1, d3);
  const __m256 even_b = _mm256_fnmadd_ps(all(kA2), d2, d4), odd_b = _mm256_fnmadd_ps(all(kA2), d1, d3);
  d[0] = _mm256_fmadd_ps(product, d0, _mm256_fnmadd_ps(sum, d2, d4));
  d[stride] = _mm256_fmadd_ps(all(kA1), odd_a, even_a);
  d[2 * stride] = _mm256_fnmadd_ps(all(kA1), odd_a, even_a);
  d[3 * stride] = _mm256_fmadd_ps(all(kB1), odd_b, even_b);
  d[4 * stride] = _mm256_fnmadd_ps(all(kB1), odd_b, even_b);
  d[5 * stride] = _mm256_fmadd_ps(product, d1, _mm256_fnmadd_ps(sum, d3, d5));
}

// A' of six values: four.
VISE_FMA_INLINE void transform_output(__m256 m0, __m256 m1, __m256 m2, __m256 m3, __m256 m4, __m256 m5, __m256* y,
                                      std::size_t stride) {
  const __m256 even_a = _mm256_add_ps(m1, m2), odd_a = _mm256_sub_ps(m1, m2);
  const __m256 even_b = _mm256_add_ps(m3, m4), odd_b = _mm256_sub_ps(m3, m4);
  y[0] = _mm256_add_ps(m0, _mm256_add_ps(even_a, even_b));
  y[stride] = _mm256_fmadd_ps(all(kA1), odd_a, _mm256_mul_ps(all(kB1), odd_b));
  y[2 * stride] = _mm256_fmadd_ps(all(kA2), even_a, _mm256_mul_ps(all(kB2), even_b));
  y[3 * stride] = _mm256_fmadd_ps(all(kA3), odd_a, _mm256_fmadd_ps(all(kB3), odd_b, m5));
}

// A tile's place in the batch and its first result's row and column.
// Its patch begins a pixel higher and further left, by the padding of 1.
struct TilePlace {
  std::size_t image, row, column;
};

TilePlace place_of(const Blocks& b, std::size_t tile) {
  const std::size_t in_image = tile % (b.across * b.across);
  return {tile / (b.across * b.across), in_image / b.across * kTile, in_image % b.across * kTile};
}

// One tile's patch, all channels: `target` is its place in the first matrix.
VISE_FMA void input_tile(const WinogradConv& conv, const Blocks& b, const float* source, const TilePlace& at,
                         float* target) {
  const std::size_t side = static_cast<std::size_t>(conv.side),
                    groups = static_cast<std::size_t>(conv.in) / kBlockChannels;
  // Inner tiles, nearly all, need no test a pixel; those at the border read zeros for the padding of 1.
  const bool inside = at.row > 0 && at.column > 0 && at.row + kTile + 1 <= side && at.column + kTile + 1 <= side;
  for (std::size_t group = 0; group < groups; ++group) {
    const float* plane = source + (at.image * groups + group) * side * side * kBlockChannels;
    __m256 d[kMatrices];
    if (inside) {
      const float* first = plane + ((at.row - 1) * side + at.column - 1) * kBlockChannels;
      for (std::size_t i = 0; i < kPoints; ++i)
        for (std::size_t j = 0; j < kPoints; ++j)
          d[i * kPoints + j] = _mm256_load_ps(first + (i * side + j) * kBlockChannels);
    } else {
      for (std::size_t i = 0; i < kPoints; ++i)
        for (std::size_t j = 0; j < kPoints; ++j) {
          const std::size_t row = at.row + i - 1, column = at.column + j - 1;  // -1 wraps round and is out of range too
          d[i * kPoints + j] = row < side && column < side
                                   ? _mm256_load_ps(plane + (row * side + column) * kBlockChannels)
                                   : _mm256_setzero_ps();
        }
    }
    for (std::size_t j = 0; j < kPoints; ++j) transform_input(d + j, kPoints);
    for (std::size_t i = 0; i < kPoints; ++i) transform_input(d + i * kPoints, 1);
    for (std::size_t m = 0; m < kMatrices; ++m) _mm256_store_ps(target + m * b.in_matrix + group * b.channels, d[m]);
  }
}

// One tile's results, all channels: `products` is its place in the first matrix.
VISE_FMA void output_tile(const WinogradConv& conv, const Blocks& b, const float* products, const float* bias,
                          const TilePlace& at, float* target) {
  const std::size_t side = static_cast<std::size_t>(conv.side),
                    groups = static_cast<std::size_t>(conv.out) / kBlockChannels;
  // The last tiles of a side that is no multiple of 4 have results beyond the map, which
  // are computed and not stored.
  const std::size_t rows = std::min(kTile, side - at.row), columns = std::min(kTile, side - at.column);
  for (std::size_t group = 0; group < groups; ++group) {
    const float* m = products + group * b.channels;
    __m256 half[kTile * kPoints], y[kTile * kTile];
    for (std::size_t j = 0; j < kPoints; ++j) {
      const auto at_row = [&](std::size_t i) __attribute__((target("avx2,fma"), always_inline)) {
        return _mm256_load_ps(m + (i * kPoints + j) * b.out_matrix);
      };
      transform_output(at_row(0), at_row(1), at_row(2), at_row(3), at_row(4), at_row(5), half + j, kPoints);
    }
    for (std::size_t i = 0; i < kTile; ++i) {
      const __m256* h = half + i * kPoints;
      transform_output(h[0], h[1], h[2], h[3], h[4], h[5], y + i * kTile, 1);
    }
    const __m256 add = _mm256_load_ps(bias + group * kBlockChannels);
    float* plane = target + (at.image * groups + group) * side * side * kBlockChannels;
    for (std::size_t i = 0; i < rows; ++i)
      for (std::size_t j = 0; j < columns; ++j) {
        float* pixel = plane + ((at.row + i) * side + at.column + j) * kBlockChannels;
        __m256 value = _mm256_add_ps(y[i * kTile + j], add);
        if (conv.sum) value = _mm256_add_ps(value, _mm256_load_ps(pixel));
        if (conv.relu) value = _mm256_max_ps(value, _mm256_setzero_ps());
        _mm256_store_ps(pixel, value);
      }
  }
}

#endif

}  // namespace

// Whole blocks of channels only; other convolutions stay with oneDNN.
bool has_winograd(int in, int out) {
  return has_tile_product() && in % static_cast<int>(kBlockChannels) == 0 &&
         out % static_cast<int>(kPanelChannels) == 0;
}

std::vector<float> winograd_weights(std::span<const float> weights, int out, int in) {
  const std::size_t outs = static_cast<std::size_t>(out), ins = static_cast<std::size_t>(in);
  std::vector<float> packed(kMatrices * outs * ins);
  for (std::size_t o = 0; o < outs; ++o)
    for (std::size_t i = 0; i < ins; ++i) {
      const auto filter = transform_filter(&weights[(o * ins + i) * 9]);
      // As multiply_tiles() reads panels: sixteen outputs side by side, the inputs one after another.
      for (std::size_t m = 0; m < kMatrices; ++m)
        packed[m * outs * ins + (o / kPanelChannels * ins + i) * kPanelChannels + o % kPanelChannels] =
            static_cast<float>(filter[m]);
    }
  return packed;
}

std::size_t winograd_scratch(const WinogradConv& conv) {
  const Blocks b = blocks_of(conv);
  return kMatrices * (b.in_matrix + b.out_matrix);
}

#if defined(__x86_64__)
void winograd_convolve(const WinogradConv& conv, const float* source, const float* weights, const float* bias,
                       float* target, float* scratch) {
  const Blocks b = blocks_of(conv);
  float *in = scratch, *out = scratch + kMatrices * b.in_matrix;
  const std::size_t matrix = static_cast<std::size_t>(conv.in) * static_cast<std::size_t>(conv.out);
  for (std::size_t first = 0; first < b.tiles; first += b.block) {
    const std::size_t tiles = std::min(b.block, b.tiles - first);
    const TileProduct product{tiles, static_cast<std::size_t>(conv.in), static_cast<std::size_t>(conv.out), b.channels};
    for (std::size_t t = 0; t < tiles; ++t)
      input_tile(conv, b, source, place_of(b, first + t), in + t * kBlockChannels);
    for (std::size_t m = 0; m < kMatrices; ++m)
      multiply_tiles(product, in + m * b.in_matrix, weights + m * matrix, out + m * b.out_matrix);
    for (std::size_t t = 0; t < tiles; ++t)
      output_tile(conv, b, out + t * kBlockChannels, bias, place_of(b, first + t), target);
  }
}
#else
void winograd_convolve(const WinogradConv&, const float*, const float*, const float*, float*, float*) {}
#endif

}  // namespace vise::networks
