// The two inner loops of the resampler, as a plain and an AVX2 version that give equal bits.
#pragma once

#include <cstddef>
#include <cstdint>

#include "extract/images/transform/taps.h"

namespace vise::images {

// Rows that one call of the horizontal kernel takes.
inline constexpr std::size_t kRowsAtOnce = 4;
// Bytes that may be read past a source row's end and written past an output row's end.
inline constexpr std::size_t kRowSlack = 32;

struct ResampleKernels {
  const char* name;
  // Resamples kRowsAtOnce rows of RGB samples; row pointers may repeat, outputs may not overlap other rows' outputs
  // unless the sources are the same row.
  void (*horizontal_rgb)(const std::uint8_t* const* rows, const Taps& taps, std::uint8_t* const* out);
  // The same for one band.
  void (*horizontal_grey)(const std::uint8_t* const* rows, const Taps& taps, std::uint8_t* const* out);
  // One output row of `bytes` samples from rows[0 .. taps - 1]; rows[taps] must be readable too if taps is odd. Rows
  // are readable up to `bytes` rounded up to 32; nothing is written past out + bytes.
  void (*vertical)(const std::uint8_t* const* rows, const std::int16_t* halves, std::size_t taps, std::size_t bytes,
                   std::uint8_t* out);
};

extern const ResampleKernels kScalarKernels;
// Null where the compiler or the CPU has no AVX2.
const ResampleKernels* avx2_kernels();
const ResampleKernels& best_kernels();

// A rounded sum of weights * samples as 8 bits.
inline std::uint8_t clip8(std::int32_t sum) {
  const std::int32_t value = sum >> kWeightBits;
  return static_cast<std::uint8_t>(value < 0 ? 0 : value > 255 ? 255 : value);
}
inline constexpr std::int32_t kHalf = 1 << (kWeightBits - 1);

}  // namespace vise::images
