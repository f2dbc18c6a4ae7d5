#include "datasets/open_rows.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "datasets/parquet_rows.h"

namespace vise::datasets {
namespace {

constexpr std::array<std::string_view, 5> kTables = {".csv", ".tsv", ".jsonl", ".ndjson", ".parquet"};

std::string extension_of(const Path& path) { return lower(path.extension().string()); }

// Bytes of images in it are no cells of the table.
std::unique_ptr<RowReader> parquet_table(const Path& path) {
  parquet::File file = parquet::File::open(path);
  ParquetColumns columns = parquet_columns(file, path.string(), {});
  columns.image.reset();
  return parquet_rows(std::move(file), path.string(), std::move(columns));
}

}  // namespace

bool is_table(const Path& path) {
  return std::find(kTables.begin(), kTables.end(), extension_of(path)) != kTables.end();
}

std::unique_ptr<RowReader> open_rows(const Path& path) {
  if (extension_of(path) == ".parquet") return parquet_table(path);
  // A file that is no table by its name is not read for that answer: it may be a video.
  return parse_rows(path, is_table(path) ? read_text_file(path) : std::string());
}

}  // namespace vise::datasets
