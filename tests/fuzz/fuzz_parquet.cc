// Any bytes as a Parquet file: rows that agree with the footer, or Error{input}; as columns, and as a data set's table.
// Seeds: seeds.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/error.h"
#include "datasets/parquet_rows.h"

namespace {

using namespace vise;

constexpr std::uint64_t kMostRows = 20000;  // a few bytes may claim many: what is read of them takes its time

void read_column(const datasets::parquet::File& file, std::size_t column, std::size_t group, std::uint64_t& left) {
  datasets::parquet::Cursor cursor = file.read(column, group);
  std::uint64_t rows = 0;
  bool ended = false;
  for (; left > 0 && !ended; --left) {
    ended = !cursor.next_row();
    if (ended) break;
    ++rows;
    std::uint64_t values = 0;
    for (datasets::parquet::Cell cell; values < kMostRows && cursor.next_value(cell); ++values)
      if (std::string(cell.bytes).size() != cell.bytes.size()) std::abort();  // every byte of it can be read
    if (values > 0 && cursor.is_null()) std::abort();
    if (!file.columns()[column].is_list && values != (cursor.is_null() ? 0 : 1)) std::abort();
  }
  if (ended && rows != file.group_rows(group)) std::abort();
  if (rows == 0) return;
  cursor.seek(rows / 2);
  if (!cursor.next_row() && rows / 2 < file.group_rows(group)) std::abort();
}

void expect_input(const Error& error) {
  if (error.kind() != ErrorKind::input) std::abort();
}

void read_table(const datasets::parquet::File& file) {
  const auto rows = datasets::parquet_rows(file, "input", datasets::parquet_columns(file, "input", {}));
  for (std::uint64_t r = 0; r < kMostRows && rows->next(); ++r)
    if (rows->cells().size() != rows->columns().size()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes = std::as_bytes(std::span(data, size));
  try {
    const datasets::parquet::File file = datasets::parquet::File::parse({bytes.begin(), bytes.end()}, "input");
    std::uint64_t left = kMostRows;
    for (std::size_t g = 0; g < file.groups(); ++g)
      for (std::size_t c = 0; c < file.columns().size() && left > 0; ++c) try {
          read_column(file, c, g, left);
        } catch (const Error& error) {
          expect_input(error);
        }
    read_table(file);
  } catch (const Error& error) {
    expect_input(error);
  }
  return 0;
}
