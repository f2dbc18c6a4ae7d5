#include "reports/folds.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <tuple>

namespace vise::reports {
namespace {

// What must agree for sections to be folds of one task; its name first.
using Family = std::tuple<std::string, std::string, std::string, std::string, int, double>;

// The fold's number from 1 and, where the rule says it, how many there are; 0 and 0 for a section of its own.
std::pair<int, int> number_of(const TableSection& section) {
  const auto dot = section.task.rfind('.');
  if (dot == std::string::npos) return {};
  const char* const end = section.task.data() + section.task.size();
  int number = 0, of = 0;
  if (std::from_chars(section.task.data() + dot + 1, end, number).ptr != end) return {};
  const std::string& origin = section.split_origin;
  for (const std::string& fold : {fmt::format("fold {} of ", number), fmt::format("draw {} of ", number)})
    if (origin.starts_with(fold)) std::from_chars(origin.data() + fold.size(), origin.data() + origin.size(), of);
  // A task of one's own may be called "a.1" as well: only a split that says it is a fold
  // or a draw makes it one of a family.
  return of > 0 || origin.starts_with("official, ") ? std::pair(number, of) : std::pair(0, 0);
}

// Complete families of two sections and more: places in table.sections, in the folds' order.
std::map<Family, std::vector<std::size_t>> families_of(const ComparisonTable& table) {
  std::map<Family, std::vector<std::size_t>> families;
  std::map<Family, int> sizes;
  for (std::size_t s = 0; s < table.sections.size(); ++s) {
    const TableSection& section = table.sections[s];
    const auto [number, of] = number_of(section);
    if (number == 0) continue;
    const Family family{section.task.substr(0, section.task.rfind('.')),
                        section.target,
                        section.where,
                        section.primary_metric,
                        section.shots,
                        section.fraction};
    families[family].push_back(s);
    sizes[family] = std::max(sizes[family], of);
  }
  const auto number = [&](std::size_t s) { return number_of(table.sections[s]).first; };
  for (auto& [family, places] : families) std::ranges::sort(places, {}, number);
  std::erase_if(families, [&](const auto& entry) {
    const auto& [family, places] = entry;
    for (std::size_t i = 0; i < places.size(); ++i)
      // A mean over the folds that happen to be there would be taken for the whole.
      if (number(places[i]) != static_cast<int>(i) + 1) return true;  // one is missing, or there twice
    const int all = sizes.at(family);
    return places.size() < 2 || (all > 0 && static_cast<int>(places.size()) != all);
  });
  return families;
}

// The footnotes that both have.
std::vector<int> common(std::vector<int> a, const std::vector<int>& b) {
  std::erase_if(a, [&](int note) { return std::ranges::find(b, note) == b.end(); });
  return a;
}

// The place of that row in a fold.
std::optional<std::size_t> place_of(const TableRow& row, const TableSection& fold) {
  const auto found = std::ranges::find_if(fold.rows, [&](const TableRow& other) {
    return other.backbone == row.backbone && other.probe == row.probe && other.cell.layer == row.cell.layer &&
           other.cell.pool == row.cell.pool;
  });
  return found == fold.rows.end() ? std::nullopt : std::optional<std::size_t>(found - fold.rows.begin());
}

// Nothing where a fold lacks the metric or has it undefined: a mean over fewer folds would be another number.
Estimate mean_metric(const ComparisonTable& table, const TableSection& mean, const TableRow& row,
                     const std::string& metric) {
  std::vector<double> values;
  for (std::size_t f = 0; f < mean.folds.size(); ++f) {
    const TableSection& fold = table.sections[mean.folds[f]];
    const auto at = std::ranges::find(fold.metrics, metric);
    if (at == fold.metrics.end()) return {};
    const auto& value = fold.rows[row.fold_rows[f]].metrics[static_cast<std::size_t>(at - fold.metrics.begin())].value;
    if (!value) return {};
    values.push_back(*value);
  }
  return mean_estimate(values);
}

// Appends the mean of a row of the first fold; nothing where another fold doesn't have that row.
void add_mean_row(const ComparisonTable& table, const TableRow& first, TableSection& mean) {
  TableRow row;
  row.backbone = first.backbone;
  row.probe = first.probe;
  row.cell = first.cell;
  row.cell.task = mean.task;
  row.notes = first.notes;
  for (const std::size_t s : mean.folds) {
    const TableSection& fold = table.sections[s];
    const auto place = place_of(first, fold);
    // A mean needs the row in every fold.
    if (!place) return;
    const TableRow& own = fold.rows[*place];
    row.fold_rows.push_back(*place);
    row.results.insert(row.results.end(), own.results.begin(), own.results.end());
    // What only one fold says stays with that fold.
    row.notes = common(std::move(row.notes), own.notes);
    if (own.failed && !row.failed) row.error = fmt::format("{}: {}", fold.task, own.error);
    row.failed |= own.failed;
  }
  row.seeds = row.failed ? 0 : mean.folds.size();
  for (const std::string& metric : mean.metrics)
    row.metrics.push_back(row.failed ? Estimate{} : mean_metric(table, mean, row, metric));
  mean.rows.push_back(std::move(row));
}

// A section that reads like its folds, with the sum of their test images and the footnotes that all of them have.
TableSection mean_of(const ComparisonTable& table, const std::string& task, const std::vector<std::size_t>& folds) {
  TableSection mean = table.sections[folds.front()];
  mean.rows.clear();
  mean.task = task;
  mean.folds = folds;
  mean.split_origin = fmt::format("mean over {} splits", folds.size());
  mean.split_hash.clear();
  mean.selected_on.clear();
  mean.sizes.test = 0;
  for (const std::size_t s : folds) {
    const TableSection& fold = table.sections[s];
    // So that two sections are the same mean only if all of their folds are the same.
    mean.split_hash += fold.split_hash.substr(0, 8);
    mean.sizes.test += fold.sizes.test;
    mean.notes = common(std::move(mean.notes), fold.notes);
  }
  for (const TableRow& row : table.sections[folds.front()].rows) add_mean_row(table, row, mean);
  return mean;
}

}  // namespace

bool is_drawn_several_times(const TableSection& section) { return section.split_origin.starts_with("draw "); }

void add_fold_means(ComparisonTable& table) {
  for (const auto& [family, folds] : families_of(table)) {
    TableSection mean = mean_of(table, std::get<0>(family), folds);
    if (!mean.rows.empty()) table.sections.push_back(std::move(mean));
  }
}

}  // namespace vise::reports
