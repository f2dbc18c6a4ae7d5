// A data set in a folder, without a table:
//
//   DIR/<class>/**/<image>             the target "label" is the first folder's name
//   DIR/train/<class>/**/<image>       the same below train, val and test (split.h knows the words): an official split
//   DIR/metadata.csv|jsonl             a manifest (manifest.h) beside the images, as image folders on hubs have it;
//   also
//                                      one in each of train/, val/, test/
//   DIR/<image>                        images without a label: for extracting features; the data set has no targets
//
// Folders that everything lies in (DIR/images/...) are looked through. Images beside class folders have no label.
#pragma once

#include "datasets/dataset.h"

namespace vise {

// Error{missing} where `folder` isn't a folder, Error{input} where no image is in it.
Dataset read_folder(const Path& folder, Log& log);

}  // namespace vise
