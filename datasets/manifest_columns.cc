#include "datasets/manifest_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "datasets/cells.h"
#include "datasets/data_columns.h"
#include "datasets/rows.h"

namespace vise::datasets {
namespace {

// The usual names for each role, the preferred ones first.
constexpr std::array<std::string_view, 13> kPathColumns{
    "path",      "file_name",  "filename",   "image",    "img",      "file",      "filepath",
    "file_path", "image_path", "image_name", "img_path", "img_name", "image_file"};
constexpr std::array<std::string_view, 4> kLabelColumns{"label", "class", "category", "target"};
constexpr std::array<std::string_view, 1> kSplitColumns{"split"};

std::vector<std::string> names_of(const ColumnKinds& kinds) {
  std::vector<std::string> names;
  for (const auto& [name, kind] : kinds) names.push_back(name);
  return names;
}

// In any case: "Path", "Label".
template <std::size_t N>
std::string first_known(const ColumnKinds& kinds, const std::array<std::string_view, N>& names, const Path& table) {
  // In the order of the list: "path" is preferred to "image" where a table has both.
  for (const std::string_view name : names) {
    std::vector<std::string> found;
    for (const auto& [column, kind] : kinds)
      if (lower(column) == name) found.push_back(column);
    if (found.size() == 1) return found.front();
    if (found.size() > 1)
      throw Error(ErrorKind::input,
                  fmt::format("{}: the columns '{}' differ by case alone", table.string(), join(found, "' and '")),
                  "which is meant isn't said: name it (--label-column, --path-column, --split-column), or rename one");
  }
  return {};
}

// The column that plays a role: the one asked for, else the first usual name, else "". A name that is asked for must be
// there, once.
template <std::size_t N>
std::string role(const ColumnKinds& kinds, const std::string& asked, const std::array<std::string_view, N>& names,
                 const Path& table) {
  const std::string column = asked.empty() ? first_known(kinds, names, table) : asked;
  if (column.empty()) return {};
  const auto found = kinds.find(column);
  if (found == kinds.end())
    throw Error(ErrorKind::input, fmt::format("{}: has no column '{}'", table.string(), column),
                suggest(column, names_of(kinds)));
  if (found->second.repeated)
    throw Error(ErrorKind::input, fmt::format("{}: the column '{}' stands there twice", table.string(), column),
                "rename or remove one: which is meant isn't said");
  return column;
}

// "is_test", "train", "in_val": a column of yes and no for one part.
bool asks_for_a_part(std::string_view column) {
  const std::string name = lower(column);
  const std::string_view rest = name;
  for (const std::string_view before : {"is_", "in_", "is", "in"})
    if (rest.starts_with(before)) return part_named(rest.substr(before.size())).has_value();
  return part_named(rest).has_value();
}

}  // namespace

void ColumnKind::see(std::string_view cell, bool may_have_commas) {
  if (is_missing(cell)) return;
  filled = true;
  // Each flag holds until a cell speaks against it, so one pass finds all kinds.
  if (parts) {
    const auto part = part_named(cell);
    parts = part.has_value();
    if (part) parts_seen |= static_cast<std::uint8_t>(1U << static_cast<unsigned>(*part));
  }
  if (!numbers) return;
  const auto value = parse_cell_number(cell, may_have_commas);
  // A column with both 1,5 and 1.5 isn't numeric: one of the two would be read wrong by a factor.
  decimal_comma = decimal_comma || (may_have_commas && has_decimal_comma(cell));
  decimal_point_ = decimal_point_ || (!has_decimal_comma(cell) && cell.find('.') != std::string_view::npos);
  numbers = value.has_value() && !(decimal_comma && decimal_point_);
  fractions = fractions || (value && *value != std::floor(*value));
}

bool ColumnKind::is_split() const { return parts && filled && std::popcount(parts_seen) >= 2; }

ColumnKinds column_kinds(std::span<const ManifestPart> parts) {
  ColumnKinds kinds;
  for (const ManifestPart& part : parts) {
    const auto rows = part.open();
    std::vector<ColumnKind*> of_column;
    while (rows->next()) {
      const auto cells = rows->cells();
      // JSON lines bring columns as they come. (Pointers stay good: a map doesn't move its entries.)
      for (std::size_t c = of_column.size(); c < cells.size(); ++c) of_column.push_back(&kinds[rows->columns()[c]]);
      for (std::size_t c = 0; c < cells.size(); ++c) of_column[c]->see(cells[c], rows->may_have_decimal_commas());
    }
    std::set<std::string> seen;
    for (const std::string& column : rows->columns())
      if (!seen.insert(column).second) kinds[column].repeated = true;
    // A column without a single cell is known, too, so that a message can name it.
    for (const std::string& column : seen) kinds.try_emplace(column);
  }
  return kinds;
}

ColumnRoles column_roles(const ColumnKinds& kinds, const DataColumns& asked, const Path& table) {
  ColumnRoles roles{role(kinds, asked.path, kPathColumns, table), role(kinds, asked.label, kLabelColumns, table),
                    role(kinds, asked.split, kSplitColumns, table)};
  for (const auto& [column, kind] : kinds)
    if (kind.repeated && (column.starts_with("votes:") || column.starts_with("labels:") || column == "labels"))
      role(kinds, column, kPathColumns, table);  // says that it is there twice
  if (roles.path.empty())
    throw Error(ErrorKind::input,
                fmt::format("{}: no column names the image; it has {}", table.string(), join(names_of(kinds), ", ")),
                "call it path (or file_name, filename, filepath, image, img, file, image_path, image_name), or say "
                "--path-column NAME");
  return roles;
}

std::vector<std::string> unused_splits(const ColumnKinds& kinds, const ColumnRoles& roles) {
  std::vector<std::string> columns;
  if (!roles.split.empty()) return columns;
  for (const auto& [column, kind] : kinds)
    if ((kind.is_split() || (kind.filled && asks_for_a_part(column))) && column != roles.label && column != roles.path)
      columns.push_back(column);
  return columns;
}

}  // namespace vise::datasets
