// First pass over a manifest's tables: what each column holds, and which says what.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "datasets/data_columns.h"
#include "datasets/manifest_part.h"

namespace vise::datasets {

// What the first pass learns of a column, so that the second can store its cells in their final form.
struct ColumnKind {
  bool numbers = true;          // every cell is a number or missing, all of one decimal mark
  bool fractions = false;       // some number isn't whole
  bool filled = false;          // some cell isn't missing
  bool decimal_comma = false;   // numbers have one
  bool repeated = false;        // the header has the name twice
  bool parts = true;            // every cell is missing or names a part of a split
  std::uint8_t parts_seen = 0;  // a bit a part

  void see(std::string_view cell, bool may_have_commas);
  bool is_values() const { return numbers && filled; }
  // The column would do for a split.
  bool is_split() const;

 private:
  bool decimal_point_ = false;
};

using ColumnKinds = std::map<std::string, ColumnKind>;

ColumnKinds column_kinds(std::span<const ManifestPart> parts);

// The columns that say where an image is, what it shows, and its part; "" where there is none.
struct ColumnRoles {
  std::string path, label, split;
};

// Error{input} where none names the image, one that was asked for isn't there, or one is there twice.
ColumnRoles column_roles(const ColumnKinds& kinds, const DataColumns& asked, const Path& table);

// Columns that hold a split's names and aren't used as one, for a warning.
std::vector<std::string> unused_splits(const ColumnKinds& kinds, const ColumnRoles& roles);

}  // namespace vise::datasets
