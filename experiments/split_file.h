// The split of a run as it is stored beside its results: a CSV of two columns, id and part (Split::write). Files of a
// user's own may call them path and split.
#pragma once

#include <string>
#include <vector>

#include "base/file.h"
#include "datasets/split.h"

namespace vise::experiments {

struct SavedSplit {
  std::vector<std::string> ids;
  datasets::Split split;  // of the ids
};

// Error{missing|input} with file and line.
SavedSplit read_split(const Path& file);

}  // namespace vise::experiments
