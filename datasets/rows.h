// The rows of a table, whatever its format, and those of texts: CSV and TSV with a header line, or JSON Lines. Files
// are opened by open_rows.h, which knows Parquet too.
//
//   const auto rows = open_rows("votes.jsonl");
//   while (rows->next()) use(rows->columns(), rows->cells(), rows->row());
//
// Every cell is text. JSON Lines are flattened: {"votes": {"joy": 3}} is a column "votes:joy" with the cell "3"; a list
// of plain values is one cell, joined by '|'; null is an empty cell; true and false are words. Not thread-safe.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"

namespace vise::datasets {

class RowReader {
 public:
  virtual ~RowReader() = default;

  // The header, without blanks around its names. With JSON Lines it grows while rows are read.
  virtual const std::vector<std::string>& columns() const = 0;
  // Reads the next row. Error{input} with file and line for a row that doesn't fit the header or isn't a JSON object.
  virtual bool next() = 0;
  // As many as columns(); valid until next().
  virtual std::span<const std::string_view> cells() const = 0;
  // Whether "5,6" is a number: cells are separated by semicolons, which only such languages need. (Between tabs "1,234"
  // is as likely a thousand.)
  virtual bool may_have_decimal_commas() const = 0;
  // The file's line, from 1.
  virtual std::size_t row() const = 0;
};

// The rows of a text; `path` says what it is called and, by its ending, which format it has: .csv (a header without a
// comma but with ';' is separated by that), .tsv, .jsonl or .ndjson; another is Error{input}.
std::unique_ptr<RowReader> parse_rows(const Path& path, std::string text);

}  // namespace vise::datasets
