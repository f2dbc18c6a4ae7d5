// A data set in one table: a row an image. Format: docs/formats/manifest.md.
//
//   path,label,split,score            path: relative to the table's folder (also file_name, filename, image, img, file,
//   images/1.jpg,low,train,18.97            image_path, image_name)
//
//   label (class, category, target)   the target "label": classes; values where some cell has a fraction
//   split                             the official split (split.h knows the words)
//   group                             the attribute "group", for grouped splits
//   votes:CLASS ...                   the target "votes": a distribution over the classes named so
//   labels:CLASS ... or labels        the target "labels": multi-label, as 0/1 columns (empty: unknown) or joined by '|'
//   any other column of numbers       a target of its name with one value
//   any other column                  an attribute; where texts repeat also a target of its name, as classes
//
// Names of columns are compared without case; DataColumns names others for path, label and split. Cells that say
// nothing (is_missing) are not known, and what a file spelt so is counted in a note; a row of votes with one has no
// votes. With semicolons between cells, a column of numbers may have decimal commas.
//
// Without a label column, votes give the target "label": the class with most votes, not known where two have as many.
// Items keep the table's order. A row without a path, or two with the same one, is Error{input} naming the rows.
// Whether the images are there is found when they are read; only the first few are looked for, and if all of them are
// missing it is Error{missing} with what was tried. 1,000,000 rows take about a second and 300 MB.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "datasets/data_columns.h"
#include "datasets/dataset.h"
#include "datasets/manifest_part.h"

namespace vise::datasets {

// The data set of one table; its root is the table's folder, its name "folder/stem".
// Its images may be in archives beside the table (data_folder.h).
Dataset read_manifest(const Path& table, Log& log, const DataColumns& columns = {}, const Path& cache = {});

// `container` has the images; null where they are files below `root`.
Dataset read_manifest(std::span<const ManifestPart> parts, const Path& root, std::string name, Log& log,
                      const DataColumns& columns = {}, std::shared_ptr<const ImageContainer> container = nullptr);

}  // namespace vise::datasets
