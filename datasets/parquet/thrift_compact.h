// A reader of Thrift's compact protocol that trusts nothing (doc/specs/thrift-compact-protocol.md of Apache Thrift):
// what Parquet's footer and page headers are written in.
//
//   ThriftReader in(bytes);
//   in.structure([&](ThriftField field) {
//     if (field.id == 1) rows = in.integer(field);
//     else in.skip(field);
//   });
//   in.consumed();                                        // bytes of the structure
//
// Every length is checked against the bytes that remain, and structures nest 24 deep at most. Everything throws
// Error{input}. Texts are views of `bytes`, which must outlive them.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/file.h"

namespace vise::datasets::parquet {

enum class ThriftType : std::uint8_t {
  stop = 0,
  yes = 1,
  no = 2,
  i8 = 3,
  i16 = 4,
  i32 = 5,
  i64 = 6,
  real = 7,
  binary = 8,
  list = 9,
  set = 10,
  map = 11,
  structure = 12,
  uuid = 13
};

struct ThriftField {
  int id = 0;
  ThriftType type = ThriftType::stop;
};

class ThriftReader {
 public:
  explicit ThriftReader(ByteView bytes) : bytes_(bytes) {}

  // Calls on_field(ThriftField) for each field; it must read the value by one of the functions below, or skip it.
  template <typename OnField>
  void structure(OnField on_field) {
    enter();
    int id = 0;
    for (ThriftField field = next_field(id); field.type != ThriftType::stop; field = next_field(id)) on_field(field);
    --depth_;
  }
  template <typename OnField>
  void structure(ThriftField field, OnField on_field) {
    expect(field, ThriftType::structure);
    structure(on_field);
  }
  // Calls on_element(ThriftField) for each, which must read it likewise.
  template <typename OnElement>
  void list(ThriftField field, OnElement on_element) {
    const Elements elements = list_header(field);
    for (std::uint64_t i = 0; i < elements.count; ++i) on_element(ThriftField{field.id, elements.type});
  }

  bool boolean(ThriftField field) const;
  std::int64_t integer(ThriftField field);  // i8, i16, i32 or i64
  std::int32_t small(ThriftField field);    // one that must fit 32 bits
  std::string_view text(ThriftField field);
  void skip(ThriftField field);

  std::size_t consumed() const { return at_; }

 private:
  struct Elements {
    std::uint64_t count;
    ThriftType type;
  };

  void enter();
  ThriftField next_field(int& id);
  Elements list_header(ThriftField field);
  void skip_map();
  void expect(ThriftField field, ThriftType type) const;
  std::uint8_t byte();
  std::uint64_t varint();
  std::int64_t zigzag();
  void pass(std::uint64_t bytes);
  std::uint64_t left() const { return bytes_.size() - at_; }

  ByteView bytes_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace vise::datasets::parquet
