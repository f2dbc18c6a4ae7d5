// Parquet files, as data sets are kept in them: column by column, a page at a time (docs/formats/parquet.md says what
// is read).
//
//   const File file = File::open("train-00000-of-00005.parquet");
//   for (std::size_t g = 0; g < file.groups(); ++g) {
//     Cursor labels = file.read(*file.find("labels"), g);
//     while (labels.next_row())
//       for (Cell cell; labels.next_value(cell);) use(cell.integer);
//   }
//
// A reader that trusts nothing: counts, places and lengths are checked against the bytes that are there before they
// are used, and memory is that of the footer and, for each cursor, of one page and a dictionary. Errors are
// Error{input} with file, row group and column. What is not read (a codec, an encoding, a type) is refused by name, and
// only where somebody asks for it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "datasets/parquet/schema.h"

namespace vise::datasets::parquet {

class Source;

// A value, in the field that its column's kind says: booleans and integers in `integer`, texts and bytes in `bytes`.
struct Cell {
  bool is_null = true;  // an element of a list
  std::int64_t integer = 0;
  double real = 0;
  std::string_view bytes;
};

// The rows of one column in one row group, in order. Move-only; keeps the file open. Not thread-safe.
class Cursor {
 public:
  Cursor(Cursor&&) noexcept;
  Cursor& operator=(Cursor&&) noexcept;
  ~Cursor();

  // To the next row; false after the last.
  bool next_row();
  // The row has no value: the value, the list, or a structure around it is null.
  bool is_null() const;
  // The row's next value: one of a row that isn't null, any number of a list's. `cell.bytes` is valid until the next
  // call of any function.
  bool next_value(Cell& cell);
  // So that next_row() goes to row `row` of the group, from 0; Error{input} where there are fewer. Pages that are
  // between are not read. Going back costs little within a page, and else what going there from the group's beginning
  // does.
  void seek(std::uint64_t row);

 private:
  friend class File;
  class Rows;
  explicit Cursor(std::unique_ptr<Rows> rows);
  std::unique_ptr<Rows> rows_;
};

// Cheap to copy; safe to read from many threads.
class File {
 public:
  // Reads the footer. Error{missing} where there is no such file, Error{input} for one that is no Parquet file, is
  // encrypted, or whose footer doesn't hold together.
  static File open(const Path& path);
  static File parse(std::vector<std::byte> bytes, std::string name);

  std::uint64_t rows() const;
  std::size_t groups() const;
  std::uint64_t group_rows(std::size_t group) const;
  const std::vector<Column>& columns() const;
  // The column called `name`, if there is one.
  std::optional<std::size_t> find(std::string_view name) const;
  // What the writer put beside the schema under `key`, "" where it did not.
  std::string_view text(std::string_view key) const;
  std::uint64_t bytes() const;

  // Error{input} where the column is of a kind, or its chunk of a codec, that is not read.
  Cursor read(std::size_t column, std::size_t group) const;

 private:
  friend class Cursor;
  struct Contents;
  explicit File(std::shared_ptr<const Contents> contents) : contents_(std::move(contents)) {}
  static File read_contents(std::unique_ptr<const Source> source, std::string name);
  std::shared_ptr<const Contents> contents_;
};

}  // namespace vise::datasets::parquet
