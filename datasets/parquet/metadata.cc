#include "datasets/parquet/metadata.h"

#include <fmt/format.h>

#include <array>

#include "base/error.h"
#include "base/utf8.h"
#include "datasets/parquet/thrift_compact.h"

// The numbers in the switches are those of the fields in parquet.thrift, whose structures the functions read one by
// one. Fields that a data set doesn't need are skipped, known or not.

namespace vise::datasets::parquet {
namespace {

[[noreturn]] void refuse(const std::string& what) { throw Error(ErrorKind::input, "footer: " + what); }

// ConvertedType's numbers in order: UTF8, MAP, MAP_KEY_VALUE, LIST, ENUM, DECIMAL, DATE, TIME_MILLIS, TIME_MICROS,
// TIMESTAMP_MILLIS, TIMESTAMP_MICROS, UINT_8 to UINT_64, INT_8 to INT_64, JSON, BSON, INTERVAL.
constexpr std::array<Annotation, 22> kConverted{Annotation::text,
                                                Annotation::map,
                                                Annotation::map,
                                                Annotation::list,
                                                Annotation::text,
                                                Annotation::decimal,
                                                Annotation::date,
                                                Annotation::time,
                                                Annotation::time,
                                                Annotation::timestamp,
                                                Annotation::timestamp,
                                                Annotation::unsigned_integer,
                                                Annotation::unsigned_integer,
                                                Annotation::unsigned_integer,
                                                Annotation::unsigned_integer,
                                                Annotation::integer,
                                                Annotation::integer,
                                                Annotation::integer,
                                                Annotation::integer,
                                                Annotation::text,
                                                Annotation::other,
                                                Annotation::other};

// A number of a newer version is `other`, which is not read.
Annotation converted(std::int32_t number) {
  return number >= 0 && number < static_cast<std::int32_t>(kConverted.size())
             ? kConverted[static_cast<std::size_t>(number)]
             : Annotation::other;
}

// LogicalType, a union: its one field says which.
Annotation read_logical(ThriftReader& in, ThriftField field, std::int32_t& scale) {
  Annotation annotation = Annotation::none;
  in.structure(field, [&](ThriftField kind) {
    switch (kind.id) {
      case 1:
      case 4:
      case 12:
        annotation = Annotation::text;
        break;  // STRING, ENUM, JSON
      case 2:
        annotation = Annotation::map;
        break;
      case 3:
        annotation = Annotation::list;
        break;
      case 5:
        annotation = Annotation::decimal;
        // DecimalType: its scale is field 1.
        return in.structure(kind, [&](ThriftField f) { f.id == 1 ? void(scale = in.small(f)) : in.skip(f); });
      case 6:
        annotation = Annotation::date;
        break;
      case 7:
        annotation = Annotation::time;
        break;
      case 8:
        annotation = Annotation::timestamp;
        break;
      case 10:
        annotation = Annotation::integer;
        // IntType: field 2 says whether it is signed.
        return in.structure(kind, [&](ThriftField f) {
          if (f.id != 2) return in.skip(f);
          if (!in.boolean(f)) annotation = Annotation::unsigned_integer;
        });
      case 11:
        break;  // UNKNOWN: a column of nulls
      case 15:
        annotation = Annotation::half;
        break;
      default:
        annotation = Annotation::other;
        break;
    }
    in.skip(kind);
  });
  return annotation;
}

// SchemaElement: 1 type, 2 length of a fixed type, 3 repetition, 4 name, 5 number of children, 6 the older annotation
// (ConvertedType), 7 the scale of a decimal, 10 the newer one (LogicalType).
SchemaElement read_element(ThriftReader& in, ThriftField field) {
  SchemaElement element;
  bool named = false, logical = false;
  in.structure(field, [&](ThriftField f) {
    switch (f.id) {
      case 1: {
        const std::int32_t type = in.small(f);
        if (type < 0 || type > static_cast<std::int32_t>(Physical::fixed))
          refuse(fmt::format("a column of unknown type {}", type));
        element.physical = static_cast<Physical>(type);
        return;
      }
      case 2:
        element.length = in.small(f);
        return;
      case 3: {
        const std::int32_t repetition = in.small(f);
        if (repetition < 0 || repetition > 2) refuse(fmt::format("a column of unknown repetition {}", repetition));
        element.repetition = static_cast<Repetition>(repetition);
        return;
      }
      case 4:
        element.name = in.text(f);
        named = true;
        return;
      case 5:
        element.children = in.small(f);
        return;
      case 6: {
        const Annotation annotation = converted(in.small(f));
        if (!logical) element.annotation = annotation;
        return;
      }
      case 7:
        element.scale = in.small(f);
        return;
      case 10:
        // The newer annotation counts; one that is unknown to it leaves the older.
        if (const Annotation annotation = read_logical(in, f, element.scale); annotation != Annotation::none) {
          element.annotation = annotation;
          logical = true;
        }
        return;
      default:
        in.skip(f);
    }
  });
  if (!named) refuse("a column without a name");
  return element;
}

// The format's counts and places are 64 bits with a sign, so a damaged one may be negative.
std::uint64_t count(ThriftReader& in, ThriftField field, std::string_view what) {
  const std::int64_t value = in.integer(field);
  if (value < 0) refuse(fmt::format("{} {}", value, what));
  return static_cast<std::uint64_t>(value);
}

// ColumnMetaData: 4 codec, 5 number of values, 7 bytes as stored, 9 and 11 the places of the first data page and of the
// dictionary.
void read_chunk_data(ThriftReader& in, ThriftField field, Chunk& chunk) {
  std::uint64_t data = 0, dictionary = 0;
  in.structure(field, [&](ThriftField f) {
    switch (f.id) {
      case 4:
        chunk.codec = in.small(f);
        return;
      case 5:
        chunk.values = count(in, f, "values in a chunk");
        return;
      case 7:
        chunk.size = count(in, f, "bytes in a chunk");
        return;
      case 9:
        data = count(in, f, "as the place of a page");
        return;
      case 11:
        dictionary = count(in, f, "as the place of a page");
        return;
      default:
        in.skip(f);
    }
  });
  // Some writers give the place 0 to a dictionary that isn't there.
  chunk.begin = dictionary > 0 && dictionary < data ? dictionary : data;
}

// ColumnChunk: 1 the file that has it, 3 its ColumnMetaData, 8 and 9 what encryption needs.
Chunk read_chunk(ThriftReader& in, ThriftField field, std::uint64_t data_end) {
  Chunk chunk;
  bool described = false;
  in.structure(field, [&](ThriftField f) {
    switch (f.id) {
      case 1:
        chunk.elsewhere = !in.text(f).empty();
        return;
      case 3:
        read_chunk_data(in, f, chunk);
        described = true;
        return;
      case 8:
      case 9:
        chunk.encrypted = true;
        return in.skip(f);
      default:
        in.skip(f);
    }
  });
  if (!described && !chunk.encrypted) refuse("a chunk that is not described");
  // Chunks that aren't read may be anywhere; the error comes when their column is asked for (PageReader).
  const bool here = chunk.values > 0 && !chunk.elsewhere && !chunk.encrypted;
  if (here && (chunk.begin < kMagicSize || chunk.begin > data_end || chunk.size > data_end - chunk.begin))
    refuse(fmt::format("a chunk of {} bytes at {} lies outside the {} bytes of data; was the download cut off?",
                       chunk.size, chunk.begin, data_end));
  return chunk;
}

// RowGroup: 1 its chunks, one a column in the schema's order, 3 its rows.
RowGroup read_group(ThriftReader& in, ThriftField field, std::uint64_t data_end) {
  RowGroup group;
  in.structure(field, [&](ThriftField f) {
    if (f.id == 1) {
      in.list(f, [&](ThriftField element) { group.chunks.push_back(read_chunk(in, element, data_end)); });
    } else if (f.id == 3) {
      group.rows = count(in, f, "rows in a row group");
    } else {
      in.skip(f);
    }
  });
  return group;
}

// KeyValue: 1 the key, 2 the text. Under "huggingface" the hub keeps what the columns mean.
void read_text(ThriftReader& in, ThriftField field, Metadata& metadata) {
  std::string_view key, value;
  in.structure(field, [&](ThriftField f) {
    if (f.id == 1) {
      key = in.text(f);
    } else if (f.id == 2) {
      value = in.text(f);
    } else {
      in.skip(f);
    }
  });
  // The first counts where a key comes twice.
  metadata.texts.emplace(key, value);
}

// What follows reads by these counts, so they must agree before any page is looked for.
void check_counts(const Metadata& metadata) {
  std::uint64_t rows = 0;
  for (std::size_t g = 0; g < metadata.groups.size(); ++g) {
    const RowGroup& group = metadata.groups[g];
    if (group.chunks.size() != metadata.columns.size())
      refuse(fmt::format("row group {} has {} chunks for {} columns", g, group.chunks.size(), metadata.columns.size()));
    // Compared so that the sum can't overflow.
    if (group.rows > metadata.rows - rows) refuse("the row groups have more rows than the file");
    rows += group.rows;
    for (std::size_t c = 0; c < group.chunks.size(); ++c) {
      const Chunk& chunk = group.chunks[c];
      // A column without lists has a value or a null for each row.
      if (chunk.elsewhere || chunk.encrypted || metadata.columns[c].is_list || chunk.values == group.rows) continue;
      refuse(fmt::format("row group {} has {} rows and '{}' {} values", g, group.rows, metadata.columns[c].name,
                         chunk.values));
    }
  }
  if (rows != metadata.rows) refuse(fmt::format("{} rows in the row groups, {} in the file", rows, metadata.rows));
}

}  // namespace

Metadata read_footer(ByteView footer, std::uint64_t data_end) {
  ThriftReader in(footer);
  Metadata metadata;
  std::vector<SchemaElement> elements;
  // FileMetaData: 2 schema, 3 rows, 4 row groups, 5 texts by key, 6 the program that wrote the file.
  in.structure([&](ThriftField f) {
    switch (f.id) {
      case 2:
        in.list(f, [&](ThriftField element) { elements.push_back(read_element(in, element)); });
        return;
      case 3:
        metadata.rows = count(in, f, "rows");
        return;
      case 4:
        in.list(f, [&](ThriftField g) { metadata.groups.push_back(read_group(in, g, data_end)); });
        return;
      case 5:
        in.list(f, [&](ThriftField text) { read_text(in, text, metadata); });
        return;
      case 6:
        // Text of a stranger's file that is printed in messages.
        metadata.writer = printable(in.text(f).substr(0, 200));
        return;
      default:
        in.skip(f);
    }
  });
  metadata.columns = read_columns(elements);
  check_counts(metadata);
  return metadata;
}

}  // namespace vise::datasets::parquet
