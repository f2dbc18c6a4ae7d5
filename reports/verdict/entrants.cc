#include "reports/verdict/entrants.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "base/text.h"

namespace vise::reports {
namespace {

using Places = std::vector<std::size_t>;

// A failed row, and one whose metric is undefined on this test set, can't enter a mean.
bool is_measured(const TableRow& row) { return !row.failed && row.metrics.front().value.has_value(); }

// Sections of one sample and condition; all of train first, then large samples before small ones.
std::vector<Places> sections_of_samples(const ComparisonTable& table) {
  std::set<std::size_t> in_means;
  for (const TableSection& section : table.sections) in_means.insert(section.folds.begin(), section.folds.end());
  std::map<std::tuple<std::string, int, double>, Places> samples;
  for (std::size_t s = 0; s < table.sections.size(); ++s) {
    const TableSection& section = table.sections[s];
    if (in_means.contains(s)) continue;
    // A map sorts ascending: all of train (0) first, then many shots before few.
    const int few = section.shots == 0 ? 0 : 1'000'001 - section.shots;
    samples[{section.where, few, -section.fraction}].push_back(s);
  }
  std::vector<Places> ordered;
  for (auto& [sample, places] : samples) ordered.push_back(std::move(places));
  return ordered;
}

// The probes of a section's rows.
std::set<std::string> probes_of(const TableSection& section) {
  std::set<std::string> probes;
  for (const TableRow& row : section.rows) probes.insert(row.probe);
  return probes;
}

// "" alone where every task has one probe and they differ.
std::vector<std::string> probes_of(const ComparisonTable& table, const Places& sections) {
  std::set<std::string> all;
  bool single = true;
  for (const std::size_t s : sections) {
    const auto own = probes_of(table.sections[s]);
    single &= own.size() == 1;
    all.insert(own.begin(), own.end());
  }
  // A classification and a regression task can't have one probe; each one's only probe then stands for all.
  if (single && all.size() > 1) return {""};
  return {all.begin(), all.end()};
}

// Finds tasks and rows of one probe and sample: keep_tasks(), add_rows() for each task, then keep_complete().
class Gathering {
 public:
  Gathering(const ComparisonTable& table, const Places& sections, const std::string& probe) : table_(table) {
    found_.probe = probe;
    keep_tasks(sections);
    bool once = true;
    for (const std::size_t s : found_.sections) {
      std::set<std::string> seen;
      for (const TableRow& row : table_.sections[s].rows)
        if (is_wanted(row)) once &= seen.insert(row.cell.backbone).second;
    }
    // Where a backbone has one row in each task, its layers may differ from task to task (each
    // its own default); otherwise the row's full name is needed.
    by_backbone_ = once;
    for (std::size_t t = 0; t < found_.sections.size(); ++t) add_rows(t);
    keep_complete();
  }

  Entrants take() { return std::move(found_); }

 private:
  bool is_wanted(const TableRow& row) const { return found_.probe.empty() || row.probe == found_.probe; }
  std::string name_of(const TableRow& row) const { return by_backbone_ ? row.cell.backbone : row.backbone; }

  // Each task once, and with a baseline to compare with.
  void keep_tasks(const Places& sections) {
    std::set<std::pair<std::string, std::string>> seen;
    for (const std::size_t s : sections) {
      const TableSection& section = table_.sections[s];
      if (std::ranges::none_of(section.rows, [&](const TableRow& row) { return is_wanted(row); })) continue;
      const bool has_baseline = std::ranges::any_of(
          section.rows, [&](const TableRow& row) { return is_wanted(row) && row.is_baseline && is_measured(row); });
      if (!has_baseline)
        found_.left_out.push_back(fmt::format("{} isn't among the tasks: its baseline has no result.", section.task));
      else if (!seen.emplace(section.task, section.target).second)
        found_.left_out.push_back(fmt::format("{} counts once: by its first split.", section.task));
      else
        found_.sections.push_back(s);
    }
  }

  // Appends each wanted row of task t to its entrant; of several rows of one name the first counts.
  void add_rows(std::size_t t) {
    const TableSection& section = table_.sections[found_.sections[t]];
    for (std::size_t r = 0; r < section.rows.size(); ++r) {
      const TableRow& row = section.rows[r];
      if (!is_wanted(row) || !is_measured(row) || !(row.is_baseline || row.difference)) continue;
      const auto at = std::ranges::find(found_.names, name_of(row)) - found_.names.begin();
      if (at == std::ssize(found_.names)) {
        found_.names.push_back(name_of(row));
        found_.rows.emplace_back();
        tasks_.emplace_back();
      }
      const auto place = static_cast<std::size_t>(at);
      // A second row of this name on the task.
      if (!tasks_[place].empty() && tasks_[place].back() == t) continue;
      found_.rows[place].push_back(r);
      tasks_[place].push_back(t);
    }
  }

  void keep_complete() {
    // Backwards, since entries are erased.
    for (std::size_t e = found_.names.size(); e-- > 0;) {
      if (found_.rows[e].size() == found_.sections.size()) continue;
      found_.left_out.push_back(fmt::format("{} isn't among the backbones: it has results on {} of {} tasks.",
                                            found_.names[e], found_.rows[e].size(), found_.sections.size()));
      // Means over different tasks can't be compared, so a backbone that lacks one is named and left out.
      found_.names.erase(found_.names.begin() + static_cast<std::ptrdiff_t>(e));
      found_.rows.erase(found_.rows.begin() + static_cast<std::ptrdiff_t>(e));
    }
  }

  const ComparisonTable& table_;
  Entrants found_;
  bool by_backbone_ = true;
  std::vector<Places> tasks_;  // of each entrant, as rows
};

// One baseline throughout, and somebody to compare with it.
bool is_comparison(const ComparisonTable& table, const Entrants& entrants) {
  if (entrants.sections.size() < 2 || entrants.names.size() < 2) return false;
  const std::string& baseline = table.sections[entrants.sections.front()].baseline;
  return std::ranges::all_of(entrants.sections, [&](std::size_t s) { return table.sections[s].baseline == baseline; });
}

}  // namespace

std::vector<Entrants> entrants_of(const ComparisonTable& table) {
  std::vector<Entrants> all;
  for (const Places& sections : sections_of_samples(table))
    for (const std::string& probe : probes_of(table, sections)) {
      Entrants entrants = Gathering(table, sections, probe).take();
      if (is_comparison(table, entrants)) all.push_back(std::move(entrants));
    }
  return all;
}

}  // namespace vise::reports
