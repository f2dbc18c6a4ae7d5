// One line a row, every number in full; for programs. Columns: docs/formats/table-csv.md.
#include <fmt/format.h>

#include <set>

#include "base/csv.h"
#include "base/text.h"
#include "reports/table.h"
#include "reports/writers.h"

namespace vise::reports {
namespace {

using Cells = std::vector<std::string>;

// An empty cell, not 0 or NaN: what reads the file can't mistake an undefined value for a measured one.
std::string cell(std::optional<double> value) { return value ? number(*value) : std::string(); }

void add_interval(Cells& cells, const std::optional<Interval>& interval) {
  cells.push_back(interval ? number(interval->low) : "");
  cells.push_back(interval ? number(interval->high) : "");
}

// Every metric of every section: the columns are one set for the whole file.
std::vector<std::string> all_metrics(const ComparisonTable& table) {
  std::vector<std::string> names;
  std::set<std::string> seen;
  for (const TableSection& section : table.sections)
    for (const std::string& name : section.metrics)
      if (seen.insert(name).second) names.push_back(name);
  return names;
}

// The first line. The cells of row_line() follow in this order, and docs/formats/table-csv.md explains them.
Cells header(const std::vector<std::string>& metrics) {
  Cells cells{"task",  "target", "shots",      "backbone", "layer", "pool", "probe",          "seeds",   "status",
              "error", "split",  "split_hash", "train",    "val",   "test", "primary_metric", "baseline"};
  for (const std::string& name : metrics)
    for (const char* suffix : {"", "_low", "_high", "_std"}) cells.push_back(name + suffix);
  for (const char* name : {"difference", "difference_low", "difference_high", "p", "p_holm", "significant", "test_used",
                           "detectable", "chosen", "selected_on", "on_edge", "notes"})
    cells.push_back(name);
  return cells;
}

// Four cells a metric of the file; empty ones for a metric that this section doesn't have.
void add_metrics(Cells& cells, const TableSection& section, const TableRow& row,
                 const std::vector<std::string>& metrics) {
  for (const std::string& name : metrics) {
    const auto place = std::ranges::find(section.metrics, name);
    const Estimate estimate =
        place == section.metrics.end() ? Estimate{} : row.metrics[place - section.metrics.begin()];
    cells.push_back(cell(estimate.value));
    add_interval(cells, estimate.interval);
    cells.push_back(cell(estimate.deviation));
  }
}

void add_difference(Cells& cells, const std::optional<Difference>& difference) {
  if (!difference) {
    // add_difference() writes eight cells; a row without a difference has as many empty ones.
    cells.resize(cells.size() + 8);
    return;
  }
  cells.push_back(number(difference->value));
  add_interval(cells, difference->interval);
  cells.push_back(cell(difference->p));
  cells.push_back(cell(difference->p_holm));
  cells.push_back(!difference->p_holm ? "" : difference->survives ? "yes" : "no");
  cells.push_back(difference->test);
  cells.push_back(cell(difference->detectable));
}

// The footnotes in full: a line is read by itself, often far from the table, so numbers would be of no use.
std::string notes_text(const ComparisonTable& table, const TableSection& section, const TableRow& row) {
  std::vector<std::string> parts;
  for (const std::vector<int>* notes : {&section.notes, &row.notes})
    for (const int note : *notes) parts.push_back(table.footnotes[static_cast<std::size_t>(note) - 1]);
  return join(parts, " / ");
}

std::string row_line(const ComparisonTable& table, const TableSection& section, const TableRow& row,
                     const std::vector<std::string>& metrics) {
  Cells cells{section.task,
              section.target,
              fmt::to_string(section.shots),
              row.cell.backbone,
              row.cell.layer,
              row.cell.pool,
              row.probe,
              fmt::to_string(row.seeds),
              row.failed ? "failed" : "ok",
              row.error,
              section.split_origin,
              section.split_hash,
              fmt::to_string(section.sizes.train),
              fmt::to_string(section.sizes.val),
              fmt::to_string(section.sizes.test),
              section.primary_metric,
              row.is_baseline ? "yes" : "no"};
  add_metrics(cells, section, row, metrics);
  add_difference(cells, row.difference);
  cells.push_back(row.chosen);
  cells.push_back(row.chosen.empty() ? "" : table.results[row.results.front()].selection.selected_on);
  cells.push_back(row.on_edge ? "yes" : "no");
  cells.push_back(notes_text(table, section, row));
  return csv_line(cells);
}

}  // namespace

std::string to_csv(const ComparisonTable& table) {
  const std::vector<std::string> metrics = all_metrics(table);
  std::string text = csv_line(header(metrics));
  for (const TableSection& section : table.sections)
    for (const TableRow& row : section.rows) text += row_line(table, section, row, metrics);
  return text;
}

}  // namespace vise::reports
