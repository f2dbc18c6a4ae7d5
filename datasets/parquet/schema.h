// A Parquet file's columns: the schema's tree (parquet.thrift, SchemaElement; LogicalTypes.md) as its leaves.
//
//   const std::vector<Column> columns = read_columns(elements);
//   columns[0].name;                                      // "image:bytes", "labels", "objects:category"
//
// A leaf is a scalar or a list of scalars in any number of structures. What is stored as anything else (maps, lists in
// lists, timestamps) is there too, with the reason why it is not read: a file isn't bad for a column nobody asks for.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vise::datasets::parquet {

// How a value is stored in the file (parquet.thrift, Type).
enum class Physical : std::uint8_t { boolean, int32, int64, int96, real32, real64, bytes, fixed };

enum class Repetition : std::uint8_t { required, optional, repeated };

// What annotates a node, from LogicalType or the older ConvertedType.
enum class Annotation : std::uint8_t {
  none,
  text,
  list,
  map,
  decimal,
  date,
  time,
  timestamp,
  integer,
  unsigned_integer,
  half,
  other
};

// A node as the footer lists it, depth first.
struct SchemaElement {
  std::string_view name;
  std::optional<Physical> physical;  // of leaves
  Repetition repetition = Repetition::required;
  Annotation annotation = Annotation::none;
  std::int32_t length = 0;    // bytes of a `fixed` value
  std::int32_t scale = 0;     // of decimals
  std::int32_t children = 0;  // of structures
};

// What a column's values are to a reader of it.
enum class Kind : std::uint8_t { boolean, integer, real, text, bytes, unread };

struct Column {
  std::string name;    // names from the root, without those that only make a list: "image:bytes"
  std::string parent;  // "image"
  std::string field;   // "bytes"
  Kind kind = Kind::unread;
  std::string reason;    // of `unread`: "a timestamp"
  bool is_list = false;  // a row has any number of values

  // What decodes it (levels.h): a row's entries with a definition level below `element_level` are a null or an empty
  // list, those with max_definition are values.
  Physical physical = Physical::bytes;
  Annotation annotation = Annotation::none;
  std::int32_t length = 0, scale = 0;
  int max_definition = 0, max_repetition = 0;
  int element_level = 0;  // definition level from which the list has an element; 0 where there is no list
  int empty_level = 0;    // that of an empty list; below it the list is null
};

// Error{input} for a tree that its counts don't make, nests deeper than 32 or has more than 10,000 leaves.
std::vector<Column> read_columns(std::span<const SchemaElement> elements);

}  // namespace vise::datasets::parquet
