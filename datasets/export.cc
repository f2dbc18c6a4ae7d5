#include "datasets/export.h"

#include <fmt/format.h>

#include <cmath>
#include <functional>

#include "base/csv.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

namespace vise::datasets {
namespace {

// A column and the text of each of its cells.
struct Column {
  std::string name;
  bool numeric;
  std::function<std::string(std::size_t)> cell;
};

// An unknown value is an empty cell, which the manifest reader takes for unknown again.
std::string value_text(double value) { return std::isnan(value) ? std::string() : number(value); }

// Votes are votes:CLASS whatever the target's name; a second distribution would collide and keeps its name in front.
std::string column_prefix(const std::string& target, TargetKind kind) {
  const std::string usual = kind == TargetKind::distribution ? "votes" : "labels";
  return target == usual ? usual : fmt::format("{}:{}", usual, target);
}

// Adds the columns under the names by which manifest.h finds them again.
void add_target(const std::string& name, const Targets& target, std::vector<Column>& columns) {
  const std::size_t width = target.width();
  if (target.kind() == TargetKind::classes) {
    columns.push_back({name, false, [&target](std::size_t i) {
                         const int k = target.classes()[i];
                         return k < 0 ? std::string() : target.names()[static_cast<std::size_t>(k)];
                       }});
    return;
  }
  for (std::size_t k = 0; k < width; ++k) {
    const std::string& own = target.names()[k];
    if (target.kind() == TargetKind::values) {
      columns.push_back({width == 1 ? name : fmt::format("{}.{}", name, own), true,
                         [&target, width, k](std::size_t i) { return value_text(target.rows()[i * width + k]); }});
    } else if (target.kind() == TargetKind::distribution) {
      columns.push_back({fmt::format("{}:{}", column_prefix(name, target.kind()), own), true,
                         [&target, width, k](std::size_t i) { return value_text(target.rows()[i * width + k]); }});
    } else {
      columns.push_back(
          {fmt::format("{}:{}", column_prefix(name, target.kind()), own), true, [&target, width, k](std::size_t i) {
             const int bit = target.multi_label()[i * width + k];
             return bit < 0 ? std::string() : std::to_string(bit);
           }});
    }
  }
}

// The cells are made when they are written: nothing of the data set is copied.
std::vector<Column> columns_of(const Dataset& dataset, const Split* split, bool absolute_paths) {
  std::vector<Column> columns;
  columns.push_back({"path", false, [&dataset, absolute_paths](std::size_t i) {
                       return absolute_paths ? std::filesystem::absolute(dataset.path(i)).lexically_normal().string()
                                             : dataset.ids[i];
                     }});
  if (const auto label = dataset.targets.find("label"); label != dataset.targets.end())
    add_target("label", label->second, columns);
  if (split)
    columns.push_back({"split", false, [split](std::size_t i) { return std::string(part_name(split->part(i))); }});
  for (const auto& [name, target] : dataset.targets)
    // A text column may be both a target and an attribute; it is written once.
    if (name != "label" && !dataset.attributes.contains(name)) add_target(name, target, columns);
  for (const auto& [name, texts] : dataset.attributes)
    columns.push_back({name, false, [&values = texts](std::size_t i) { return values[i]; }});
  return columns;
}

std::string as_csv(const std::vector<Column>& columns, std::size_t items) {
  std::vector<std::string> cells;
  for (const Column& column : columns) cells.push_back(column.name);
  std::string text = csv_line(cells);
  for (std::size_t i = 0; i < items; ++i) {
    for (std::size_t c = 0; c < columns.size(); ++c) cells[c] = columns[c].cell(i);
    text += csv_line(cells);
  }
  return text;
}

std::string as_jsonl(const std::vector<Column>& columns, std::size_t items) {
  std::string text;
  for (std::size_t i = 0; i < items; ++i) {
    // Keys in the order of the columns, as in the CSV.
    nlohmann::ordered_json row;
    for (const Column& column : columns) {
      const std::string cell = column.cell(i);
      double value = 0;
      // JSON can tell an unknown cell from an empty text, and numbers from texts.
      if (cell.empty())
        row[column.name] = nullptr;
      else if (column.numeric && parse_double(cell, value))
        row[column.name] = value;
      else
        row[column.name] = cell;
    }
    text += row.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n';
  }
  return text;
}

}  // namespace

ExportFormat parse_export_format(std::string_view text) {
  if (text == "csv") return ExportFormat::csv;
  if (text == "jsonl") return ExportFormat::jsonl;
  throw Error(ErrorKind::usage, fmt::format("'{}' is not a format of tables", text), "known: csv, jsonl");
}

std::string export_table(const Dataset& dataset, const Split* split, ExportFormat format, bool absolute_paths) {
  const std::vector<Column> columns = columns_of(dataset, split, absolute_paths);
  return format == ExportFormat::csv ? as_csv(columns, dataset.size()) : as_jsonl(columns, dataset.size());
}

}  // namespace vise::datasets
