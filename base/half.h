// IEEE 754 half precision (float16) to float and back.
//
//   widen(halves, floats);                    // exact
//   narrow(floats, halves);                   // to the nearest, ties to even; beyond 65504 (by rounding) to infinity
//
// Runs on the CPU's own instructions (F16C) where it has them, with the same bits. Thread-safe: no state.
#pragma once

#include <cstdint>
#include <span>

namespace vise {

// The largest finite half.
inline constexpr float kLargestHalf = 65504.0F;

float half_to_float(std::uint16_t half);
std::uint16_t float_to_half(float value);

// Both spans have one length (asserted).
void widen(std::span<const std::uint16_t> halves, std::span<float> floats);
void narrow(std::span<const float> floats, std::span<std::uint16_t> halves);

}  // namespace vise
