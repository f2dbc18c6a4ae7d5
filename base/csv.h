// CSV as RFC 4180 has it: quoted cells with "" for a quote, commas and newlines inside quotes, CRLF or LF, an optional
// UTF-8 byte-order mark; the separator may be another character.
//
//   CsvReader csv(text, "votes.csv");
//   while (csv.next()) use(csv.cells(), csv.row());
//
// Cells are views into the text where they can be (no copy), into a buffer of the reader where a quote had to be
// undone: valid until next(). Blank lines are skipped. Not thread-safe.
#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vise {

class CsvReader {
 public:
  // `text` must outlive the reader.
  CsvReader(std::string_view text, std::string name_for_messages, char separator = ',');

  // Reads the next record. Error{input} with file and line for an unclosed quote or text after a closing one.
  bool next();
  std::span<const std::string_view> cells() const { return cells_; }
  // The line the record began on, from 1.
  std::size_t row() const { return record_line_; }

 private:
  std::string_view quoted_cell();
  std::string_view plain_cell();
  [[noreturn]] void fail(std::string_view what) const;

  std::string_view rest_;
  std::string name_;
  char separator_;
  std::size_t line_ = 1, record_line_ = 0;
  std::vector<std::string_view> cells_;
  std::deque<std::string> unquoted_;
};

// A header and its records, for files small enough to hold; every record must have the header's number of cells.
class CsvTable {
 public:
  // Reads and keeps the whole text.
  static CsvTable parse(std::string text, std::string name_for_messages, char separator = ',');

  const std::vector<std::string>& header() const { return header_; }
  std::size_t rows() const { return records_.size(); }
  // The column of that name; Error{input} naming the file and the nearest column.
  std::size_t column(std::string_view name) const;
  bool has_column(std::string_view name) const;
  const std::string& cell(std::size_t row, std::size_t column) const { return records_[row][column]; }
  // The file's line of a record, from 1.
  std::size_t line(std::size_t row) const { return lines_[row]; }
  const std::string& name() const { return name_; }

 private:
  std::string name_;
  std::vector<std::string> header_;
  std::vector<std::vector<std::string>> records_;
  std::vector<std::size_t> lines_;
};

// The cell, quoted if it needs to be.
std::string csv_cell(std::string_view text);
// Cells joined by commas, with a newline at the end.
std::string csv_line(std::span<const std::string> cells);

}  // namespace vise
