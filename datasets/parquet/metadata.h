// A Parquet file's footer (parquet.thrift, FileMetaData): its columns, and where each row group's values are stored.
//
//   const Metadata metadata = read_footer(bytes, data_end);
//   metadata.groups[0].chunks[column].begin;              // the column chunk's first byte in the file
//
// Chunks are checked to be between the file's magic and its footer, one a column, and counts to agree. What this
// reader cannot read of a chunk (another file, a codec, encryption) is found when it is read.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/file.h"
#include "datasets/parquet/schema.h"

namespace vise::datasets::parquet {

inline constexpr std::uint64_t kMagicSize = 4;  // "PAR1", at either end

struct Chunk {
  std::uint64_t begin = 0, size = 0;  // its pages' bytes
  std::uint64_t values = 0;           // nulls included; of a list's elements
  int codec = 0;                      // parquet.thrift, CompressionCodec
  bool elsewhere = false;             // in another file
  bool encrypted = false;
};

struct RowGroup {
  std::uint64_t rows = 0;
  std::vector<Chunk> chunks;  // as columns
};

struct Metadata {
  std::vector<Column> columns;
  std::vector<RowGroup> groups;
  std::uint64_t rows = 0;
  std::map<std::string, std::string, std::less<>> texts;  // what the writer added: "huggingface"
  std::string writer;                                     // "DuckDB version v1.4.1"
};

// `footer` is the Thrift structure alone; the chunks are before `data_end`. Error{input}.
Metadata read_footer(ByteView footer, std::uint64_t data_end);

}  // namespace vise::datasets::parquet
