#include "datasets/parquet/thrift_compact.h"

#include <fmt/format.h>

#include <limits>

#include "base/error.h"

namespace vise::datasets::parquet {
namespace {

constexpr int kMaxDepth = 24;  // Parquet's own structures nest 6 deep

[[noreturn]] void refuse(const std::string& what) { throw Error(ErrorKind::input, "thrift: " + what); }

// A type is 4 bits, of which 14 and 15 mean nothing.
ThriftType type_of(std::uint8_t nibble) {
  if (nibble > static_cast<std::uint8_t>(ThriftType::uuid)) refuse(fmt::format("a value of unknown type {}", nibble));
  return static_cast<ThriftType>(nibble);
}

bool is_boolean(ThriftType type) { return type == ThriftType::yes || type == ThriftType::no; }

}  // namespace

// skip() calls itself for what is inside, so the depth bounds the stack.
void ThriftReader::enter() {
  if (++depth_ > kMaxDepth) refuse(fmt::format("structures nest deeper than {}", kMaxDepth));
}

ThriftField ThriftReader::next_field(int& id) {
  const std::uint8_t head = byte();
  const ThriftType type = type_of(head & 0x0F);
  if (type == ThriftType::stop) return {};
  // A field's number is given as the difference to the field before, in 4 bits, or in full
  // behind a 0 (thrift-compact-protocol.md).
  if (head >> 4 != 0) {
    id += head >> 4;
  } else {
    const std::int64_t written = zigzag();
    if (written < 0 || written > std::numeric_limits<std::int16_t>::max())
      refuse(fmt::format("a field has the number {}", written));
    id = static_cast<int>(written);
  }
  return {id, type};
}

ThriftReader::Elements ThriftReader::list_header(ThriftField field) {
  if (field.type != ThriftType::set) expect(field, ThriftType::list);
  const std::uint8_t head = byte();
  // Up to 14 elements fit in the head; 15 says that the count follows.
  const std::uint64_t count = head >> 4 == 15 ? varint() : head >> 4;
  const ThriftType type = type_of(head & 0x0F);
  // Each element takes a byte at least, so a larger count is a damaged one; checked
  // before memory is reserved.
  if (count > left()) refuse(fmt::format("a list claims {} elements in {} bytes", count, left()));
  return {count, type};
}

// A map's count comes before its types, which an empty map doesn't have.
void ThriftReader::skip_map() {
  const std::uint64_t count = varint();
  if (count == 0) return;
  if (count > left() / 2) refuse(fmt::format("a map claims {} pairs in {} bytes", count, left()));
  const std::uint8_t types = byte();
  const ThriftType key = type_of(types >> 4), value = type_of(types & 0x0F);
  for (std::uint64_t i = 0; i < count; ++i) {
    for (const ThriftType type : {key, value}) is_boolean(type) ? pass(1) : skip({0, type});
  }
}

void ThriftReader::skip(ThriftField field) {
  switch (field.type) {
    case ThriftType::stop:
      refuse("a value of no type");
    case ThriftType::yes:
    case ThriftType::no:
      return;
    case ThriftType::i8:
      return pass(1);
    case ThriftType::i16:
    case ThriftType::i32:
    case ThriftType::i64:
      varint();
      return;
    case ThriftType::real:
      return pass(8);
    case ThriftType::binary:
      return pass(varint());
    case ThriftType::uuid:
      return pass(16);
    case ThriftType::structure:
      return structure([&](ThriftField inner) { skip(inner); });
    case ThriftType::list:
    case ThriftType::set:
    case ThriftType::map: {
      enter();
      if (field.type == ThriftType::map) {
        skip_map();
      } else {
        // A boolean is in its field's type, but in a list it is a byte.
        list(field, [&](ThriftField element) { is_boolean(element.type) ? pass(1) : skip(element); });
      }
      --depth_;
    }
  }
}

// A boolean field has no bytes: its type is its value.
bool ThriftReader::boolean(ThriftField field) const {
  if (!is_boolean(field.type)) refuse(fmt::format("field {} is no boolean", field.id));
  return field.type == ThriftType::yes;
}

// Integers of 16 bits and more are written alike, so a wider one than the format says does no harm.
std::int64_t ThriftReader::integer(ThriftField field) {
  if (field.type == ThriftType::i8) return static_cast<std::int8_t>(byte());
  if (field.type != ThriftType::i16 && field.type != ThriftType::i32) expect(field, ThriftType::i64);
  return zigzag();
}

// Counts, codecs and types are of 32 bits in Parquet's structures, however long they were written.
std::int32_t ThriftReader::small(ThriftField field) {
  const std::int64_t value = integer(field);
  if (value < std::numeric_limits<std::int32_t>::min() || value > std::numeric_limits<std::int32_t>::max())
    refuse(fmt::format("field {} has the value {}", field.id, value));
  return static_cast<std::int32_t>(value);
}

// A view into the bytes that are read: the caller copies what it keeps.
std::string_view ThriftReader::text(ThriftField field) {
  expect(field, ThriftType::binary);
  const std::uint64_t size = varint();
  const std::size_t begin = at_;
  pass(size);
  return {reinterpret_cast<const char*>(bytes_.data()) + begin, static_cast<std::size_t>(size)};
}

void ThriftReader::expect(ThriftField field, ThriftType type) const {
  if (field.type != type)
    refuse(
        fmt::format("field {} is of type {}, not {}", field.id, static_cast<int>(field.type), static_cast<int>(type)));
}

std::uint8_t ThriftReader::byte() {
  if (left() == 0) refuse("it is cut off");
  return static_cast<std::uint8_t>(bytes_[at_++]);
}

// Seven bits a byte, the lowest first; the eighth says that more follow.
std::uint64_t ThriftReader::varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const std::uint8_t next = byte();
    value |= static_cast<std::uint64_t>(next & 0x7F) << shift;
    if (next < 0x80) return value;
  }
  refuse("a number has more than 64 bits");
}

// 0, -1, 1, -2 are written as 0, 1, 2, 3, so that small negative numbers are short.
std::int64_t ThriftReader::zigzag() {
  const std::uint64_t value = varint();
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

// Past bytes that nobody reads: checked here, so that no length leads out of the structure.
void ThriftReader::pass(std::uint64_t bytes) {
  if (bytes > left()) refuse(fmt::format("{} bytes are claimed where {} remain", bytes, left()));
  at_ += bytes;
}

}  // namespace vise::datasets::parquet
