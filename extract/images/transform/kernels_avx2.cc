// The multiplier used is vpmaddwd: two 16 x 16 bit products summed to 32 bits, twice as many a cycle as vpmulld. A
// weight has more than 16 bits, so its halves are multiplied apart (taps.h) and joined at the end:
// sum = (sum of high products << 15) + sum of low products, modulo 2^32, which is where Pillow's sum is too.
#include "extract/images/transform/kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include <cstring>

#define VISE_AVX2 __attribute__((target("avx2")))

namespace vise::images {
namespace {

// Four taps of one row: 16 bytes (RGBRGBRGBRGB and 4 more) in both lanes, spread to 16-bit pairs of neighbouring taps,
// lane 0: r0 r1 g0 g1 b0 b1 - -, lane 1: the same of taps 2 and 3.
// Bytes behind a row's last tap are read too and weigh nothing; kRowSlack allows for them.
VISE_AVX2 inline __m256i spread_rgb(const std::uint8_t* in) {
  const __m256i order = _mm256_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1,  //
                                         6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1);
  const __m256i both = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(in)));
  return _mm256_shuffle_epi8(both, order);
}

// A group's four low (or high) halves as pairs: lane 0 holds taps 0 and 1 four times, lane 1 taps 2 and 3.
VISE_AVX2 inline __m256i low_pairs(__m256i group) {
  return _mm256_shuffle_epi8(group, _mm256_setr_epi8(0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3,  //
                                                     4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7));
}

VISE_AVX2 inline __m256i high_pairs(__m256i group) {
  return _mm256_shuffle_epi8(group, _mm256_setr_epi8(8, 9, 10, 11, 8, 9, 10, 11, 8, 9, 10, 11, 8, 9, 10, 11,  //
                                                     12, 13, 14, 15, 12, 13, 14, 15, 12, 13, 14, 15, 12, 13, 14, 15));
}

// r, g, b, - as 32-bit results of one pixel.
VISE_AVX2 inline __m128i join_rgb(__m256i low, __m256i high) {
  // The lanes hold different taps of the same pixel, so they are added.
  const __m256i sum = _mm256_add_epi32(low, _mm256_slli_epi32(high, 15));
  const __m128i taps = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
  return _mm_srai_epi32(_mm_add_epi32(taps, _mm_set1_epi32(kHalf)), kWeightBits);
}

VISE_AVX2 void horizontal_rgb(const std::uint8_t* const* rows, const Taps& taps, std::uint8_t* const* out) {
  const std::size_t width = taps.first.size();
  for (std::size_t x = 0; x < width; ++x) {
    const std::size_t start = std::size_t{taps.first[x]} * 3, groups = (std::size_t{taps.count[x]} + 3) / 4;
    const std::int16_t* halves = taps.at(x);
    __m256i low[kRowsAtOnce], high[kRowsAtOnce];
    for (std::size_t r = 0; r < kRowsAtOnce; ++r) low[r] = high[r] = _mm256_setzero_si256();
    for (std::size_t g = 0; g < groups; ++g) {
      const __m256i group =
          _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(halves + g * 8)));
      const __m256i k_low = low_pairs(group), k_high = high_pairs(group);
      for (std::size_t r = 0; r < kRowsAtOnce; ++r) {
        const __m256i samples = spread_rgb(rows[r] + start + g * 12);
        low[r] = _mm256_add_epi32(low[r], _mm256_madd_epi16(samples, k_low));
        high[r] = _mm256_add_epi32(high[r], _mm256_madd_epi16(samples, k_high));
      }
    }
    // Shifted sums fit into 16 bits, so packing to signed 16 and then, saturating, to unsigned 8 bits is clip8().
    const __m128i pixels = _mm_packus_epi16(_mm_packs_epi32(join_rgb(low[0], high[0]), join_rgb(low[1], high[1])),
                                            _mm_packs_epi32(join_rgb(low[2], high[2]), join_rgb(low[3], high[3])));
    // Four bytes each, of which the fourth is overwritten by the next pixel or is in the slack.
    alignas(16) std::uint8_t bytes[16];
    _mm_store_si128(reinterpret_cast<__m128i*>(bytes), pixels);
    for (std::size_t r = 0; r < kRowsAtOnce; ++r) std::memcpy(out[r] + x * 3, bytes + r * 4, 4);
  }
}

VISE_AVX2 inline __m256i join(__m256i low, __m256i high) {
  const __m256i sum = _mm256_add_epi32(low, _mm256_slli_epi32(high, 15));
  return _mm256_srai_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(kHalf)), kWeightBits);
}

// Two adjacent 16-bit values, in all lanes.
VISE_AVX2 inline __m256i pair(const std::int16_t* values) {
  std::int32_t bits;
  std::memcpy(&bits, values, sizeof bits);
  return _mm256_set1_epi32(bits);
}

// 32 columns of one output row. Unpacking and packing both stay within 128-bit lanes, so the order comes out right.
VISE_AVX2 inline __m256i vertical_block(const std::uint8_t* const* rows, const std::int16_t* halves, std::size_t taps,
                                        std::size_t column) {
  const __m256i zero = _mm256_setzero_si256();
  __m256i low[4], high[4];
  for (int i = 0; i < 4; ++i) low[i] = high[i] = zero;
  for (std::size_t t = 0; t < taps; t += 2) {
    // Taps t and t + 1 are in the same group, since groups begin at multiples of four (taps.h).
    const std::int16_t* two = halves + t / 4 * 8 + t % 4;
    const __m256i k_low = pair(two), k_high = pair(two + 4);
    const __m256i a = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(rows[t] + column));
    const __m256i b = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(rows[t + 1] + column));
    const __m256i ab[2] = {_mm256_unpacklo_epi8(a, b), _mm256_unpackhi_epi8(a, b)};
    for (int i = 0; i < 4; ++i) {
      const __m256i pairs = i % 2 ? _mm256_unpackhi_epi8(ab[i / 2], zero) : _mm256_unpacklo_epi8(ab[i / 2], zero);
      low[i] = _mm256_add_epi32(low[i], _mm256_madd_epi16(pairs, k_low));
      high[i] = _mm256_add_epi32(high[i], _mm256_madd_epi16(pairs, k_high));
    }
  }
  return _mm256_packus_epi16(_mm256_packs_epi32(join(low[0], high[0]), join(low[1], high[1])),
                             _mm256_packs_epi32(join(low[2], high[2]), join(low[3], high[3])));
}

VISE_AVX2 void vertical(const std::uint8_t* const* rows, const std::int16_t* halves, std::size_t taps,
                        std::size_t bytes, std::uint8_t* out) {
  std::size_t column = 0;
  for (; column + 32 <= bytes; column += 32) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + column), vertical_block(rows, halves, taps, column));
  }
  if (column < bytes) {
    // Computed in full, as rows are readable so far, but written only where there are columns.
    alignas(32) std::uint8_t rest[32];
    _mm256_store_si256(reinterpret_cast<__m256i*>(rest), vertical_block(rows, halves, taps, column));
    std::memcpy(out + column, rest, bytes - column);
  }
}

}  // namespace

const ResampleKernels* avx2_kernels() {
  // Grey has no vector kernel: only resize_into() on one band uses it, never a network's input.
  static const ResampleKernels kernels = {"avx2", horizontal_rgb, kScalarKernels.horizontal_grey, vertical};
  return __builtin_cpu_supports("avx2") ? &kernels : nullptr;
}

}  // namespace vise::images

#else

namespace vise::images {
const ResampleKernels* avx2_kernels() { return nullptr; }
}  // namespace vise::images

#endif
