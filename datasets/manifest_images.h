// Whether the images that a table names are there, and if not, where they may be.
#pragma once

#include "datasets/dataset.h"

namespace vise::datasets {

// Error{missing} where none of the first five images is there, with the path that one of them has; Error{input} for a
// table without rows, and for a path with a backslash that is no file's name. Other images are looked for when they are
// read.
void check_images(const Dataset& dataset, const Path& table);

}  // namespace vise::datasets
