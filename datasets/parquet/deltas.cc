#include "datasets/parquet/deltas.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "datasets/parquet/bits.h"

namespace vise::datasets::parquet {
namespace {

constexpr std::uint64_t kMaxBlock = 1U << 20, kMaxMiniblocks = 1U << 12;  // writers take 128 and 4

[[noreturn]] void refuse(const std::string& what) { throw Error(ErrorKind::input, "delta encoding: " + what); }

}  // namespace

DeltaDecoder::DeltaDecoder(ByteView bytes, std::uint64_t most) : bytes_(bytes) {
  // Header: values a block, miniblocks a block, values in all, the first value (Encodings.md,
  // DELTA_BINARY_PACKED).
  const std::uint64_t block = varint();
  miniblocks_ = varint();
  count_ = varint();
  value_ = static_cast<std::uint64_t>(zigzag());
  // Miniblocks have a multiple of 32 values, so that each ends at a whole byte.
  if (block == 0 || block > kMaxBlock || miniblocks_ == 0 || miniblocks_ > kMaxMiniblocks ||
      block % (miniblocks_ * 32) != 0)
    refuse(fmt::format("blocks of {} values in {} miniblocks", block, miniblocks_));
  if (count_ > most) refuse(fmt::format("it claims {} values where there may be {}", count_, most));
  in_miniblock_ = block / miniblocks_;
  miniblock_ = miniblocks_;
}

std::int64_t DeltaDecoder::next() {
  if (given_ == count_) refuse("fewer values than the page has");
  if (given_++ == 0) return static_cast<std::int64_t>(value_);
  if (left_ == 0) next_miniblock();
  // The last miniblock's padding may be missing.
  if (!has_bits(bytes_, bit_, width_)) refuse("it is cut off");
  // Differences are stored less the smallest of their block, so they aren't negative. Sums wrap,
  // as the format has it, which is why all is unsigned.
  value_ += smallest_ + bits_at(bytes_, bit_, width_);
  bit_ += width_;
  --left_;
  return static_cast<std::int64_t>(value_);
}

void DeltaDecoder::next_miniblock() {
  if (miniblock_ == miniblocks_) {
    smallest_ = static_cast<std::uint64_t>(zigzag());
    if (bytes_.size() - at_ < miniblocks_) refuse("it is cut off");
    // The widths of all miniblocks come first, a byte each, then their bits.
    widths_ = at_;
    at_ += miniblocks_;
    miniblock_ = 0;
  }
  width_ = static_cast<unsigned>(bytes_[widths_ + miniblock_++]);
  if (width_ > 64) refuse(fmt::format("differences of {} bits", width_));
  left_ = in_miniblock_;
  bit_ = static_cast<std::uint64_t>(at_) * 8;
  // The next miniblock's place is known now; values are read from bit_ meanwhile.
  at_ += std::min<std::uint64_t>(in_miniblock_ / 8 * width_, bytes_.size() - at_);
}

std::uint64_t DeltaDecoder::varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (at_ == bytes_.size()) refuse("it is cut off");
    const auto byte = static_cast<std::uint8_t>(bytes_[at_++]);
    value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
  refuse("a number has more than 64 bits");
}

// 0, -1, 1, -2 ... are stored as 0, 1, 2, 3, so that small negative numbers are short, too.
std::int64_t DeltaDecoder::zigzag() {
  const std::uint64_t value = varint();
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

}  // namespace vise::datasets::parquet
