// A Parquet file's rows as those of a table (rows.h): every cell a text.
//
// A class's number becomes its name and -1 an empty cell; null is an empty cell; a list of classes is the column
// "labels" with its names joined by '|', and "NA" where the list is null; true and false are words. Where the file has
// images, the image's column holds the row's number, from 0, which is the image's id behind the file's name.
#pragma once

#include <memory>

#include "datasets/parquet_columns.h"
#include "datasets/rows.h"

namespace vise::datasets {

// Reads a page a column at a time. Error{input} for a file that claims more rows than its bytes could hold, and while
// reading for a class without a name, a class that is twice in a list (0 and 1 a class are no list of classes), a text
// that is no UTF-8, over 1 MiB, or with a '|' in a list.
std::unique_ptr<RowReader> parquet_rows(parquet::File file, std::string name, ParquetColumns columns);

}  // namespace vise::datasets
