// A data set in a folder, without a table:
//
//   DIR/<class>/**/<image>             the target "label" is the first folder's name; below train, val and test also
//   the
//                                      official split (folder_layout.h)
//   DIR/metadata.csv|jsonl             a manifest (manifest.h) beside the images, as image folders on hubs have it;
//                                      also one in each of train/, val/, test/ or of the class folders. Where it has no
//                                      labels, class folders give them
//   DIR/**/*.zip|tar|tar.gz|tar.zst    archives of images, where no image is a file (archive_data.h)
//   DIR/<image>                        images without a label: for extracting features; the data set has no targets
#pragma once

#include "datasets/data_columns.h"
#include "datasets/dataset.h"

namespace vise::datasets {

// Error{missing} where `folder` isn't a folder, Error{input} where no image is in it.
// `columns` are those of the metadata; Error{usage} where there is none.
// `cache` is that of open_data_path(): a folder without images may hold archives of them (archive_data.h), and
// the images of a table may be in archives beside it (data_folder.h).
Dataset read_folder(const Path& folder, Log& log, const DataColumns& columns = {}, const Path& cache = {});

}  // namespace vise::datasets
