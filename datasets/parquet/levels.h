// Small numbers as Parquet packs them: runs of one value and groups of packed bits (Encodings.md, RLE = 3). Repetition
// and definition levels, dictionary indices and version 2's booleans are such.
//
//   RunDecoder levels(bytes, bits_of(column.max_definition));
//   const std::uint32_t level = levels.next();
//
// Nothing is unpacked ahead, so a run that claims two thousand million values costs nothing.
#pragma once

#include <cstdint>

#include "base/file.h"

namespace vise::datasets::parquet {

// Bits that hold 0 to `largest`.
unsigned bits_of(std::uint32_t largest);

class RunDecoder {
 public:
  RunDecoder() = default;  // zeros without end: levels that aren't written
  // Values of `width` bits, 0 to 32; Error{input} for more. With 0 nothing is read.
  RunDecoder(ByteView bytes, unsigned width);

  // Error{input} where no value is left.
  std::uint32_t next();

 private:
  void next_run();

  ByteView bytes_;
  unsigned width_ = 0;
  std::size_t at_ = 0;      // the next run's header
  std::uint64_t left_ = 0;  // values of this run
  bool packed_ = false;
  std::uint32_t value_ = 0;  // of a run
  std::uint64_t bit_ = 0;    // of a packed group
};

}  // namespace vise::datasets::parquet
