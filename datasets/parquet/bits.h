// Packed bits, least significant first: how levels, dictionary indices, deltas and booleans are stored.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "base/file.h"

namespace vise::datasets::parquet {

// Whether there are `width` bits at bit `at`.
inline bool has_bits(ByteView bytes, std::uint64_t at, unsigned width) {
  return at / 8 + (at % 8 + width + 7) / 8 <= bytes.size();
}

// Precondition: they do, and width <= 64.
inline std::uint64_t bits_at(ByteView bytes, std::uint64_t at, unsigned width) {
  if (width == 0) return 0;
  const std::size_t first = at / 8;
  const unsigned shift = at % 8;
  std::uint64_t low = 0;
  std::memcpy(&low, bytes.data() + first, std::min<std::size_t>(sizeof low, bytes.size() - first));
  low >>= shift;
  if (shift + width > 64) low |= static_cast<std::uint64_t>(bytes[first + 8]) << (64 - shift);
  return width == 64 ? low : low & ((std::uint64_t{1} << width) - 1);
}

}  // namespace vise::datasets::parquet
