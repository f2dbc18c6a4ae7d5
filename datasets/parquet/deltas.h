// Integers as differences (Encodings.md, DELTA_BINARY_PACKED = 5), the lengths of byte arrays among them.
//
//   DeltaDecoder deltas(bytes, most);
//   while (n-- > 0) use(deltas.next());
//
// Values are unpacked one at a time; arithmetic wraps at 64 bits, as the format has it.
#pragma once

#include <cstdint>

#include "base/file.h"

namespace vise::datasets::parquet {

class DeltaDecoder {
 public:
  // Error{input} for a header that claims more than `most` values or blocks of an odd form.
  DeltaDecoder(ByteView bytes, std::uint64_t most);

  std::uint64_t count() const { return count_; }
  // Error{input} where no value is left or it is cut off.
  std::int64_t next();
  // Where the bytes end, once all values were read.
  std::size_t end() const { return at_; }

 private:
  void next_miniblock();
  std::uint64_t varint();
  std::int64_t zigzag();

  ByteView bytes_;
  std::size_t at_ = 0;
  std::uint64_t count_ = 0, given_ = 0;
  std::uint64_t value_ = 0, smallest_ = 0;           // `smallest_` delta of the block
  std::size_t widths_ = 0;                           // where the block's widths are stored
  std::uint64_t miniblocks_ = 0, in_miniblock_ = 0;  // of a block; values of a miniblock
  std::uint64_t miniblock_ = 0, left_ = 0;
  unsigned width_ = 0;
  std::uint64_t bit_ = 0;
};

}  // namespace vise::datasets::parquet
