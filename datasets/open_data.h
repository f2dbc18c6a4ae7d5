// What `--data PATH` names, by what is there: the one place that knows every form of data.
#pragma once

#include "base/log.h"
#include "datasets/data_columns.h"
#include "datasets/dataset.h"

namespace vise::datasets {

// Reads what `--data PATH` names: a folder of class folders or one with metadata.csv|jsonl (folder.h), a
// .csv|.tsv|.jsonl manifest (manifest.h), archives, or Parquet files (parquet_data.h). A folder's name is its own, a
// manifest's that of its folder and its own: "omi300/happy". `cache` is where what is learnt of containers is kept, so
// that a later run opens none; empty: nowhere.
Dataset open_data_path(const Path& path, Log& log, const DataColumns& columns = {}, const Path& cache = {});

}  // namespace vise::datasets
