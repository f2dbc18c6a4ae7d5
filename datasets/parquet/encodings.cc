#include "datasets/parquet/encodings.h"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <string>

#include "base/error.h"
#include "datasets/parquet/bits.h"
#include "datasets/parquet/deltas.h"
#include "datasets/parquet/levels.h"

// How the values of a data page are laid out, a decoder for each encoding (Encodings.md of the Parquet format). A
// decoder gives one value a call and checks every length against the page first: a page comes out of a stranger's file.
// open_values() chooses the decoder.

namespace vise::datasets::parquet {
namespace {

[[noreturn]] void refuse(const std::string& what) { throw Error(ErrorKind::input, what); }
[[noreturn]] void refuse_short() { refuse("the page has fewer values than it claims"); }

std::string_view text(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

std::uint32_t load32(ByteView bytes, std::size_t at) {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

// Bytes of a value of fixed width; 0 for booleans and byte arrays.
std::size_t width_of(const Column& column) {
  switch (column.physical) {
    case Physical::int32:
    case Physical::real32:
      return 4;
    case Physical::int64:
    case Physical::real64:
      return 8;
    case Physical::int96:
      return 12;
    case Physical::fixed:
      return static_cast<std::size_t>(column.length);
    default:
      return 0;
  }
}

// Whether a value fits into 64 bits; others are views of their bytes.
bool is_number(const Column& column) {
  return column.physical != Physical::bytes && column.physical != Physical::fixed &&
         column.physical != Physical::int96 && column.physical != Physical::boolean;
}

// Numbers are stored little-endian; the upper half of `bits` stays zero for those of 4 bytes.
Value value_of(const Column& column, ByteView bytes) {
  Value value;
  if (is_number(column)) {
    std::memcpy(&value.bits, bytes.data(), bytes.size());
  } else {
    value.bytes = text(bytes);
  }
  return value;
}

// One bit each, the lowest of a byte first (Encodings.md, PLAIN).
class PlainBooleans final : public ValueDecoder {
 public:
  explicit PlainBooleans(ByteView bytes) : bytes_(bytes) {}
  Value next() override {
    if (!has_bits(bytes_, bit_, 1)) refuse_short();
    return {.bits = bits_at(bytes_, bit_++, 1), .bytes = {}};
  }

 private:
  ByteView bytes_;
  std::uint64_t bit_ = 0;
};

// Values of one width, one behind the other.
class PlainFixed final : public ValueDecoder {
 public:
  PlainFixed(const Column& column, ByteView bytes) : column_(column), width_(width_of(column)), rest_(bytes) {}
  Value next() override {
    if (rest_.size() < width_) refuse_short();
    const Value value = value_of(column_, rest_.first(width_));
    rest_ = rest_.subspan(width_);
    return value;
  }

 private:
  const Column& column_;
  std::size_t width_;
  ByteView rest_;
};

// A length in 4 bytes before each value (Encodings.md, PLAIN).
class PlainBytes final : public ValueDecoder {
 public:
  explicit PlainBytes(ByteView bytes) : rest_(bytes) {}
  Value next() override {
    if (rest_.size() < 4) refuse_short();
    const std::uint32_t size = load32(rest_, 0);
    rest_ = rest_.subspan(4);
    if (size > rest_.size()) refuse(fmt::format("a value claims {} bytes where {} remain", size, rest_.size()));
    const Value value{.bits = 0, .bytes = text(rest_.first(size))};
    rest_ = rest_.subspan(size);
    return value;
  }

 private:
  ByteView rest_;
};

// RLE_DICTIONARY: values by their place in the dictionary. The first byte is the width of an index in bits.
class DictionaryValues final : public ValueDecoder {
 public:
  DictionaryValues(ByteView bytes, const std::vector<Value>& dictionary) : dictionary_(dictionary) {
    if (bytes.empty()) refuse_short();
    indices_ = RunDecoder(bytes.subspan(1), static_cast<unsigned>(bytes[0]));
  }
  Value next() override {
    const std::uint32_t index = indices_.next();
    if (index >= dictionary_.size()) refuse(fmt::format("value {} of a dictionary of {}", index, dictionary_.size()));
    return dictionary_[index];
  }

 private:
  const std::vector<Value>& dictionary_;
  RunDecoder indices_;
};

// Booleans in the encoding RLE have the runs' length in 4 bytes in front, which levels
// of version 2 and indices don't.
class RunBooleans final : public ValueDecoder {
 public:
  explicit RunBooleans(ByteView bytes) {
    if (bytes.size() < 4 || load32(bytes, 0) > bytes.size() - 4) refuse("booleans that are cut off");
    runs_ = RunDecoder(bytes.subspan(4, load32(bytes, 0)), 1);
  }
  Value next() override { return {.bits = runs_.next(), .bytes = {}}; }

 private:
  RunDecoder runs_;
};

// DELTA_BINARY_PACKED: differences in blocks, which DeltaDecoder unpacks.
class DeltaIntegers final : public ValueDecoder {
 public:
  DeltaIntegers(ByteView bytes, std::uint64_t most) : deltas_(bytes, most) {}
  Value next() override { return {.bits = static_cast<std::uint64_t>(deltas_.next()), .bytes = {}}; }

 private:
  DeltaDecoder deltas_;
};

// DELTA_LENGTH_BYTE_ARRAY: all lengths, then all bytes. The lengths are read once to find where the bytes begin, and
// again with them.
class DeltaLengths final : public ValueDecoder {
 public:
  DeltaLengths(ByteView bytes, std::uint64_t most) : lengths_(bytes, most) {
    DeltaDecoder ahead = lengths_;
    for (std::uint64_t i = 0; i < lengths_.count(); ++i) ahead.next();
    rest_ = bytes.subspan(ahead.end());
  }
  Value next() override {
    const std::int64_t size = lengths_.next();
    if (size < 0 || static_cast<std::uint64_t>(size) > rest_.size())
      refuse(fmt::format("a value claims {} bytes where {} remain", size, rest_.size()));
    const Value value{.bits = 0, .bytes = text(rest_.first(static_cast<std::size_t>(size)))};
    rest_ = rest_.subspan(static_cast<std::size_t>(size));
    return value;
  }

 private:
  DeltaDecoder lengths_;
  ByteView rest_;
};

// DELTA_BYTE_ARRAY: what a value shares with the one before, and the rest of it. A value is never longer than the page,
// as each byte of it is stored there once.
class DeltaBytes final : public ValueDecoder {
 public:
  DeltaBytes(ByteView bytes, std::uint64_t most)
      : prefixes_(bytes, most), suffixes_(bytes.subspan(end_of(prefixes_)), most) {}
  Value next() override {
    const std::int64_t prefix = prefixes_.next();
    if (prefix < 0 || static_cast<std::uint64_t>(prefix) > value_.size())
      refuse(fmt::format("a value shares {} bytes with one of {}", prefix, value_.size()));
    value_.resize(static_cast<std::size_t>(prefix));
    value_ += suffixes_.next().bytes;
    return {.bits = 0, .bytes = value_};
  }

 private:
  // Takes a copy, whose reading leaves the original at its first value.
  static std::size_t end_of(DeltaDecoder ahead) {
    for (std::uint64_t i = 0; i < ahead.count(); ++i) ahead.next();
    return ahead.end();
  }

  DeltaDecoder prefixes_;
  DeltaLengths suffixes_;
  std::string value_;
};

// BYTE_STREAM_SPLIT: the first bytes of all values, then the second ones.
class SplitStreams final : public ValueDecoder {
 public:
  SplitStreams(const Column& column, ByteView bytes)
      : column_(column), bytes_(bytes), count_(bytes.size() / width_of(column)), value_(width_of(column)) {
    if (bytes.size() % value_.size() != 0) refuse("split streams of different lengths");
  }
  // Values of all rows are spread over the page, so its end is known only by the count.
  Value next() override {
    if (at_ == count_) refuse_short();
    // Exponents of neighbouring numbers are alike, so their bytes side by side pack better;
    // this puts a value together again.
    for (std::size_t i = 0; i < value_.size(); ++i) value_[i] = bytes_[i * count_ + at_];
    ++at_;
    return value_of(column_, value_);
  }

 private:
  const Column& column_;
  ByteView bytes_;
  std::size_t count_, at_ = 0;
  std::vector<std::byte> value_;
};

std::unique_ptr<ValueDecoder> open_plain(const Column& column, ByteView bytes) {
  if (column.physical == Physical::boolean) return std::make_unique<PlainBooleans>(bytes);
  if (column.physical == Physical::bytes) return std::make_unique<PlainBytes>(bytes);
  return std::make_unique<PlainFixed>(column, bytes);
}

}  // namespace

std::string encoding_name(int encoding) {
  // By the numbers of parquet.thrift. Number 1 was never used.
  static constexpr std::array<std::string_view, 10> kNames{
      "PLAIN",          "GROUP_VAR_INT",       "PLAIN_DICTIONARY",        "RLE",
      "BIT_PACKED",     "DELTA_BINARY_PACKED", "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY",
      "RLE_DICTIONARY", "BYTE_STREAM_SPLIT"};
  if (encoding < 0 || encoding >= static_cast<int>(kNames.size())) return fmt::format("{}", encoding);
  return std::string(kNames[static_cast<std::size_t>(encoding)]);
}

std::unique_ptr<ValueDecoder> open_values(int encoding, const Column& column, ByteView bytes, std::uint64_t most,
                                          const std::vector<Value>* dictionary) {
  // Encodings.md gives the types of each encoding. Any other pair is damage, or newer than this reader.
  const bool integers = column.physical == Physical::int32 || column.physical == Physical::int64;
  const bool arrays = column.physical == Physical::bytes;
  switch (encoding) {
    case kPlain:
      return open_plain(column, bytes);
    case kPlainDictionary:
    case kRleDictionary:
      if (!dictionary) refuse("a page of dictionary indices in a chunk without a dictionary");
      return std::make_unique<DictionaryValues>(bytes, *dictionary);
    case kRle:
      if (column.physical == Physical::boolean) return std::make_unique<RunBooleans>(bytes);
      break;
    case kDeltaBinaryPacked:
      if (integers) return std::make_unique<DeltaIntegers>(bytes, most);
      break;
    case kDeltaLengthByteArray:
      if (arrays) return std::make_unique<DeltaLengths>(bytes, most);
      break;
    case kDeltaByteArray:
      if (arrays || column.physical == Physical::fixed) return std::make_unique<DeltaBytes>(bytes, most);
      break;
    case kByteStreamSplit:
      if (width_of(column) > 0) return std::make_unique<SplitStreams>(column, bytes);
      break;
    default:
      break;
  }
  refuse(fmt::format("values in the encoding {}, which is not read for this type", encoding_name(encoding)));
}

}  // namespace vise::datasets::parquet
