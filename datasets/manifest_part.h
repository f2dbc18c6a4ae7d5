// One of the tables that a manifest is made of (manifest.h).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "datasets/open_rows.h"
#include "datasets/split.h"

namespace vise::datasets {

// A data set in several tables (the metadata.csv of train/ and of test/).
struct ManifestPart {
  Path table;
  std::string prefix;        // put before its paths: "train/"
  std::optional<Part> part;  // of its rows, where it has no split column
  // Opens its rows where it is not a file on disk (it is in an archive): called once a pass, and there are two.
  std::function<std::unique_ptr<RowReader>()> rows = {};

  std::unique_ptr<RowReader> open() const { return rows ? rows() : open_rows(table); }
};

}  // namespace vise::datasets
