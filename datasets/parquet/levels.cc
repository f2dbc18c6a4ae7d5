#include "datasets/parquet/levels.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/error.h"
#include "datasets/parquet/bits.h"

namespace vise::datasets::parquet {
namespace {

[[noreturn]] void refuse(const char* what) { throw Error(ErrorKind::input, what); }

}  // namespace

unsigned bits_of(std::uint32_t largest) { return static_cast<unsigned>(std::bit_width(largest)); }

// A width of 0 needs no bytes: a column that can't be null has no levels.
RunDecoder::RunDecoder(ByteView bytes, unsigned width) : bytes_(bytes), width_(width) {
  if (width > 32) throw Error(ErrorKind::input, fmt::format("packed numbers of {} bits", width));
}

std::uint32_t RunDecoder::next() {
  if (width_ == 0) return 0;
  // A run may have no values at all.
  while (left_ == 0) next_run();
  --left_;
  if (!packed_) return value_;
  // Some writers leave out the padding of the last group, so each value is looked for by itself.
  if (!has_bits(bytes_, bit_, width_)) refuse("a group of packed numbers is cut off");
  const auto value = static_cast<std::uint32_t>(bits_at(bytes_, bit_, width_));
  bit_ += width_;
  return value;
}

void RunDecoder::next_run() {
  std::uint64_t header = 0;
  for (unsigned shift = 0;; shift += 7) {
    if (shift > 35) refuse("a run's length has more than 32 bits");
    if (at_ >= bytes_.size()) refuse("fewer packed numbers than values");
    const auto byte = static_cast<std::uint8_t>(bytes_[at_++]);
    header |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) break;
  }
  // The hybrid of runs (Encodings.md, RLE): the lowest bit of a run's header says whether groups
  // of 8 packed values follow, or one value that is repeated.
  packed_ = (header & 1) != 0;
  if (packed_) {
    left_ = (header >> 1) * 8;
    bit_ = static_cast<std::uint64_t>(at_) * 8;
    at_ += std::min<std::uint64_t>((header >> 1) * width_, bytes_.size() - at_);
    return;
  }
  left_ = header >> 1;
  const std::size_t size = (width_ + 7) / 8;
  if (bytes_.size() - at_ < size) refuse("a run of packed numbers is cut off");
  value_ = 0;
  std::memcpy(&value_, bytes_.data() + at_, size);
  at_ += size;
  if (width_ < 32 && value_ >> width_ != 0) refuse("a run's number has more bits than it may");
}

}  // namespace vise::datasets::parquet
