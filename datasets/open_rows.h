// A table file's rows: text (rows.h) or Parquet (parquet_rows.h), by the file's ending.
#pragma once

#include <memory>

#include "datasets/rows.h"

namespace vise::datasets {

// Whether `path` ends as a table does: .csv, .tsv, .jsonl, .ndjson or .parquet, in any case.
bool is_table(const Path& path);

// Reads a text's file whole into memory, but of Parquet a page at a time. Error{input} for a file that is no table by
// its name, Error{missing} where it isn't there.
std::unique_ptr<RowReader> open_rows(const Path& path);

}  // namespace vise::datasets
