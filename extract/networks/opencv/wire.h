// Protocol Buffers' wire format, read without a schema: a message as its fields, in the file's order.
//
//   WireReader message(bytes);
//   while (const std::optional<WireField> field = message.next()) ...
//   if (!message.is_whole()) ...                              // a length beyond the end, an unknown type
//
//   append_field(out, 7, graph);                              // and the other way, for fields of bytes
//
// Source: protobuf.dev/programming-guides/encoding. Lengths are compared with the bytes that remain; nothing is
// allocated. Groups (obsolete) aren't read.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"

namespace vise::networks {

struct WireField {
  enum class Type { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };
  std::uint64_t number = 0;
  Type type = Type::varint;
  std::uint64_t value = 0;  // varint
  ByteView bytes{};         // of the other types
  ByteView raw{};           // the whole field with its tag

  bool is(std::uint64_t wanted, Type of) const { return number == wanted && type == of; }
  std::string_view text() const { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
};

class WireReader {
 public:
  explicit WireReader(ByteView message) : rest_(message) {}

  // None at the end, and at what is no field.
  std::optional<WireField> next() {
    if (rest_.empty() || !whole_) return std::nullopt;
    const ByteView start = rest_;
    WireField field;
    const std::optional<std::uint64_t> tag = varint();
    if (!tag || *tag >> 3 == 0) return fail();
    field.number = last_number_ = *tag >> 3;
    field.type = static_cast<WireField::Type>(*tag & 7);
    std::optional<std::uint64_t> size;
    switch (field.type) {
      case WireField::Type::varint:
        if (!(size = varint())) return fail();
        field.value = *size;
        field.raw = start.first(start.size() - rest_.size());
        return field;
      case WireField::Type::fixed64:
        size = 8;
        break;
      case WireField::Type::fixed32:
        size = 4;
        break;
      case WireField::Type::bytes:
        size = varint();
        break;
      default:
        return fail();
    }
    if (!size || *size > rest_.size()) return fail();
    field.bytes = rest_.first(static_cast<std::size_t>(*size));
    rest_ = rest_.subspan(field.bytes.size());
    field.raw = start.first(start.size() - rest_.size());
    return field;
  }

  // Also of a packed field's bytes.
  std::optional<std::uint64_t> varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = std::to_integer<std::uint64_t>(rest_.front());
      rest_ = rest_.subspan(1);
      value |= (byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    return std::nullopt;
  }

  bool is_whole() const { return whole_; }
  bool is_done() const { return rest_.empty(); }
  // Of the field that next() read last, or that isn't whole.
  std::uint64_t last_number() const { return last_number_; }

 private:
  std::optional<WireField> fail() {
    whole_ = false;
    return std::nullopt;
  }

  ByteView rest_;
  std::uint64_t last_number_ = 0;
  bool whole_ = true;
};

inline void append_varint(std::string& out, std::uint64_t value) {
  for (; value > 0x7F; value >>= 7) out += static_cast<char>((value & 0x7F) | 0x80);
  out += static_cast<char>(value);
}

inline void append_field(std::string& out, std::uint64_t number, std::string_view bytes) {
  append_varint(out, number << 3 | static_cast<std::uint64_t>(WireField::Type::bytes));
  append_varint(out, bytes.size());
  out += bytes;
}

inline void append_bytes(std::string& out, ByteView bytes) {
  out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

}  // namespace vise::networks
