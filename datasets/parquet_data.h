// Data sets in Parquet files, as the Hugging Face hub converts them (docs/formats/parquet.md).
//
//   data/train-00000-of-00005.parquet ...    a row an image: its bytes in a column, its labels in others
//
// A file is a table whose rows are read as any other's (parquet_rows.h, manifest.h), so columns, labels and missing
// values mean the same. The split is in the files' names, or in those of their folders; an item is called by file and
// row: "data/train-00000-of-00005.parquet/17". A file without a column of bytes is a table of paths.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "datasets/data_columns.h"
#include "datasets/dataset.h"

namespace vise::datasets {

// The data set that `--data PATH` names, where it is one of Parquet files: `files` are those of PATH (data_files.h), or
// PATH is a folder that holds some. Those are the ones right in it; else those in its folders, or in theirs, that are
// called as parts of a split, or in the only one that has any. A folder with metadata.csv|jsonl|parquet holds images.
//
// Error{input} where several folders hold some, images are beside them, or files differ in what is their image or in
// the names of their classes.
std::optional<Dataset> open_parquet(const Path& path, const std::vector<Path>& files, Log& log,
                                    const DataColumns& columns);

// The part of the split that each file's name or folder states: all of them, or none. Where some state none, they are
// unused. Error{input} where only one part is stated and some files state none. What was decided is added to `remarks`.
std::vector<std::optional<Part>> parts_of_files(const std::vector<std::string>& ids, std::vector<std::string>& remarks);

}  // namespace vise::datasets
