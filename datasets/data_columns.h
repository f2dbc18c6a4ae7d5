// Which columns of a table somebody says mean what.
#pragma once

#include <string>

namespace vise::datasets {

// Which columns of a table say what, where their names don't (manifest.h), and what its labels are.
struct DataColumns {
  std::string path, label, split;  // names of columns; "" for the usual ones
  std::string kind;                // of the labels, of class folders too: "classes" or "values"; "" as they look
};

}  // namespace vise::datasets
