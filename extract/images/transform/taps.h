// The weights of one pass of the resampler, computed as Pillow computes them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "extract/images/transform/filter.h"

namespace vise::images {

// Weights have 22 fractional bits: 8 bits of result and 2 of headroom are left in 32 (Resample.c, PRECISION_BITS).
inline constexpr int kWeightBits = 22;

// For each output position i of a window: the input positions first[i] .. first[i] + count[i] - 1 and their weights.
//
// A weight k is kept as two halves that fit the vector unit's 16-bit multiplier, k = high * 32768 + low with
// 0 <= low < 32768, in groups of four taps: {low0..low3, high0..high3}. Unused taps of the last group weigh 0.
struct Taps {
  std::vector<std::uint32_t> first, count;
  std::size_t groups = 0;            // groups of four a position, the same for all
  std::uint32_t most = 0;            // the largest count
  std::vector<std::int16_t> halves;  // positions * groups * 8

  const std::int16_t* at(std::size_t position) const { return halves.data() + position * groups * 8; }
};

inline std::int32_t weight(const std::int16_t* halves, std::size_t tap) {
  const std::int16_t* group = halves + tap / 4 * 8;
  return group[4 + tap % 4] * 32768 + group[tap % 4];
}

// Taps that take `in_size` samples to `out_size`, for the outputs begin .. begin + length - 1.
Taps make_taps(std::uint32_t in_size, std::uint32_t out_size, Filter filter, std::uint32_t begin, std::uint32_t length);

}  // namespace vise::images
