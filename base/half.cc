#include "base/half.h"

#include <bit>
#include <cassert>
#include <cstddef>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace vise {
namespace {

#if defined(__x86_64__)
// Every CPU with AVX2 has F16C, whose own name clang's builtin doesn't know.
bool has_f16c() {
  static const bool has = __builtin_cpu_supports("avx2");
  return has;
}

// Whole groups of eight; returns how many values were done.
__attribute__((target("avx,f16c"))) std::size_t widen_eights(std::span<const std::uint16_t> in, float* out) {
  std::size_t i = 0;
  for (; i + 8 <= in.size(); i += 8)
    _mm256_storeu_ps(out + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(in.data() + i))));
  return i;
}

__attribute__((target("avx,f16c"))) std::size_t narrow_eights(std::span<const float> in, std::uint16_t* out) {
  std::size_t i = 0;
  for (; i + 8 <= in.size(); i += 8)
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i),
                     _mm256_cvtps_ph(_mm256_loadu_ps(in.data() + i), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
  return i;
}
#else
bool has_f16c() { return false; }
std::size_t widen_eights(std::span<const std::uint16_t>, float*) { return 0; }
std::size_t narrow_eights(std::span<const float>, std::uint16_t*) { return 0; }
#endif

}  // namespace

// Exact for every half, denormals included: the exponent is rebiased by a multiplication with a power of two.
float half_to_float(std::uint16_t half) {
  // The half's exponent (bias 15) read as a float's (bias 127) is too small by 112, and 2^112 is a float,
  // so one exact product sets it right; a denormal half becomes a normal float by the same product.
  const std::uint32_t magnitude = static_cast<std::uint32_t>(half & 0x7FFF) << 13;
  std::uint32_t bits = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) * 0x1p112F);
  if ((half & 0x7C00) == 0x7C00) bits = magnitude | 0x7F800000;  // infinity, NaN
  return std::bit_cast<float>(bits | static_cast<std::uint32_t>(half & 0x8000) << 16);
}

// Denormal halves are rounded by the addition of 0.5, whose last bit weighs as much as theirs; normal ones by adding
// just under half a unit, and one more where the last kept bit is odd.
std::uint16_t float_to_half(float value) {
  constexpr std::uint32_t kInfinity = 0x7F800000, kPastHalf = 0x47800000, kLeastNormal = 0x38800000;
  const auto whole = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = whole & 0x80000000, magnitude = whole ^ sign;
  std::uint32_t half = 0;
  if (magnitude > kInfinity)
    // The quiet bit is set, so that a NaN whose payload is only in the low bits does not become infinity.
    half = 0x7E00 | (magnitude >> 13 & 0x3FF);
  else if (magnitude >= kPastHalf)
    half = 0x7C00;
  else if (magnitude < kLeastNormal)
    half = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) + 0.5F) - 0x3F000000;
  else
    half = (magnitude - (112U << 23) + 0xFFF + (magnitude >> 13 & 1)) >> 13;
  return static_cast<std::uint16_t>(half | sign >> 16);
}

void widen(std::span<const std::uint16_t> halves, std::span<float> floats) {
  assert(halves.size() == floats.size());
  for (std::size_t i = has_f16c() ? widen_eights(halves, floats.data()) : 0; i < halves.size(); ++i)
    floats[i] = half_to_float(halves[i]);
}

void narrow(std::span<const float> floats, std::span<std::uint16_t> halves) {
  assert(halves.size() == floats.size());
  for (std::size_t i = has_f16c() ? narrow_eights(floats, halves.data()) : 0; i < floats.size(); ++i)
    halves[i] = float_to_half(floats[i]);
}

}  // namespace vise
