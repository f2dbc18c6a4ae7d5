// Parquet files written byte by byte, as the format's specification has them (parquet.thrift, Encodings.md), so that a
// test can write what no program would.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace vise::test {

// Thrift's compact protocol, the few types that Parquet's structures need.
class Thrift {
 public:
  Thrift& number(int id, std::int64_t value, int type = 5) {  // 5: i32, 6: i64
    field(id, type);
    zigzag(value);
    return *this;
  }
  Thrift& text(int id, const std::string& value) {
    field(id, 8);
    varint(value.size());
    bytes_ += value;
    return *this;
  }
  Thrift& boolean(int id, bool value) {
    field(id, value ? 1 : 2);
    return *this;
  }
  Thrift& structure(int id, const Thrift& value) {
    field(id, 12);
    bytes_ += value.str();
    return *this;
  }
  Thrift& structures(int id, const std::vector<Thrift>& values) {
    field(id, 9);
    if (values.size() < 15) {
      bytes_ += static_cast<char>(values.size() << 4 | 12);
    } else {
      bytes_ += static_cast<char>(0xFC);
      varint(values.size());
    }
    for (const Thrift& value : values) bytes_ += value.str();
    return *this;
  }
  std::string str() const { return bytes_ + '\0'; }

 private:
  void field(int id, int type) {
    bytes_ += static_cast<char>((id - last_) << 4 | type);
    last_ = id;
  }
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>(value | 0x80);
    bytes_ += static_cast<char>(value);
  }
  void zigzag(std::int64_t value) {
    varint(static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63));
  }

  std::string bytes_;
  int last_ = 0;
};

inline std::string little(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> 8 * i);
  return out;
}
// A byte array in PLAIN; also levels of version 1, which have their length before them likewise.
inline std::string sized(const std::string& bytes) { return little(bytes.size(), 4) + bytes; }
inline std::string texts(const std::vector<std::string>& values) {
  std::string out;
  for (const std::string& value : values) out += sized(value);
  return out;
}
// A run of `count` (below 64) times `value`, of 8 bits at most; and a group of 8 values that are packed in `bytes`.
inline std::string run(int count, int value) { return {static_cast<char>(count << 1), static_cast<char>(value)}; }
inline std::string packed_group(const std::string& bytes) { return '\3' + bytes; }

enum Repeat { required, optional, repeated };
enum Physical { boolean, int32, int64, int96, real32, real64, byte_array, fixed };
constexpr int kNoType = -1, kUtf8 = 0, kList = 3;  // ConvertedType

struct Node {
  std::string name;
  Repeat repeat = required;
  int physical = kNoType;
  int converted = kNoType;
  int children = 0;
  int length = 0;
};

// Bytes of a chunk's pages, headers included.
struct ChunkBytes {
  std::string pages;
  int values = 0;
  int codec = 0;
};

struct Group {
  int rows = 0;
  std::vector<ChunkBytes> chunks;
};

inline std::string page(int type, int unpacked, const std::string& body, int id, const Thrift& of_type) {
  return Thrift()
             .number(1, type)
             .number(2, unpacked)
             .number(3, static_cast<std::int64_t>(body.size()))
             .structure(id, of_type)
             .str() +
         body;
}
// `unpacked`: the size that is claimed, where the body is packed.
inline std::string data_page(int entries, int encoding, const std::string& body, int unpacked = -1,
                             int level_encoding = 3) {
  return page(0, unpacked < 0 ? static_cast<int>(body.size()) : unpacked, body, 5,
              Thrift().number(1, entries).number(2, encoding).number(3, level_encoding).number(4, level_encoding));
}
inline std::string dictionary_page(int values, const std::string& body) {
  return page(2, static_cast<int>(body.size()), body, 7, Thrift().number(1, values).number(2, 0).boolean(3, false));
}
inline std::string data_page_v2(int entries, int nulls, int encoding, const std::string& repetition,
                                const std::string& definition, const std::string& values, int unpacked = -1,
                                bool is_packed = true) {
  const auto levels = static_cast<std::int64_t>(repetition.size() + definition.size());
  return page(3, static_cast<int>(levels) + (unpacked < 0 ? static_cast<int>(values.size()) : unpacked),
              repetition + definition + values, 8,
              Thrift()
                  .number(1, entries)
                  .number(2, nulls)
                  .number(3, entries)
                  .number(4, encoding)
                  .number(5, static_cast<std::int64_t>(definition.size()))
                  .number(6, static_cast<std::int64_t>(repetition.size()))
                  .boolean(7, is_packed));
}

// The file. `nodes` are the schema without its root; one chunk a leaf, in their order.
inline std::string parquet(const std::vector<Node>& nodes, const std::vector<Group>& groups,
                           const std::vector<std::pair<std::string, std::string>>& added = {}) {
  std::string file = "PAR1";
  std::vector<Thrift> elements, row_groups, pairs;
  int top = 0, inside = 0;  // children of the root; nodes that still belong to one of them
  for (const Node& node : nodes) {
    if (inside == 0) ++top;
    inside += node.children - (inside > 0 ? 1 : 0);
  }
  elements.push_back(Thrift().text(4, "schema").number(5, top));
  for (const Node& node : nodes) {
    Thrift element;
    if (node.physical != kNoType) element.number(1, node.physical);
    if (node.length != 0) element.number(2, node.length);
    element.number(3, node.repeat).text(4, node.name);
    if (node.children != 0) element.number(5, node.children);
    if (node.converted != kNoType) element.number(6, node.converted);
    elements.push_back(element);
  }
  std::int64_t rows = 0;
  for (const Group& group : groups) {
    std::vector<Thrift> chunks;
    for (const ChunkBytes& chunk : group.chunks) {
      const auto begin = static_cast<std::int64_t>(file.size());
      file += chunk.pages;
      chunks.push_back(Thrift()
                           .number(2, begin, 6)
                           .structure(3, Thrift()
                                             .number(4, chunk.codec)
                                             .number(5, chunk.values, 6)
                                             .number(7, static_cast<std::int64_t>(chunk.pages.size()), 6)
                                             .number(9, begin, 6)));
    }
    rows += group.rows;
    row_groups.push_back(Thrift().structures(1, chunks).number(3, group.rows, 6));
  }
  for (const auto& [key, value] : added) pairs.push_back(Thrift().text(1, key).text(2, value));
  const std::string footer = Thrift()
                                 .number(1, 2)
                                 .structures(2, elements)
                                 .number(3, rows, 6)
                                 .structures(4, row_groups)
                                 .structures(5, pairs)
                                 .text(6, "a test")
                                 .str();
  return file + footer + little(footer.size(), 4) + "PAR1";
}

}  // namespace vise::test
