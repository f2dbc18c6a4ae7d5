#include "reports/layout.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "reports/folds.h"
#include "reports/metric_names.h"
#include "reports/verdict/verdict_grid.h"

namespace vise::reports {
namespace {

// " [66.7, 88.3]", its ends with signs where they are those of a difference.
std::string interval_text(const MetricName& metric, const Interval& interval, std::size_t images, bool signed_ends) {
  const auto end = [&](double v) {
    return signed_ends ? difference_text(metric, v, images) : metric_text(metric, v, images);
  };
  return fmt::format(" [{}, {}]", end(interval.low), end(interval.high));
}

// "78.3 +- 0.4 [66.7, 88.3]", in the order value, seeds, test images.
GridCell metric_cell(const MetricName& metric, const Estimate& estimate, std::size_t images) {
  if (!estimate.value) return {"-", Weight::faint};
  std::string text = metric_text(metric, estimate.value, images);
  if (estimate.deviation) text += fmt::format(" +- {}", metric_text(metric, estimate.deviation, images));
  if (estimate.interval) text += interval_text(metric, *estimate.interval, images, false);
  return {text};
}

// A difference that was tested and doesn't survive is faint and says "ns", and "ns (Holm)" where only the adjustment
// over the rows takes it away: its interval, which is its own, excludes 0. One that survives is strong.
GridCell difference_cell(const MetricName& metric, const TableRow& row, std::size_t images) {
  if (row.is_baseline) return {"baseline"};
  if (!row.difference) return {};
  const Difference& d = *row.difference;
  std::string text = difference_text(metric, d.value, images);
  if (d.interval) text += interval_text(metric, *d.interval, images, true);
  if (!d.p_holm) return {text};
  if (d.survives) return {text, Weight::strong};
  return {text + (d.survives_alone ? " ns (Holm)" : " ns"), Weight::faint};
}

// A bootstrap of 10,000 resamples gives no p below 0.0002, so digits below 0.001 would be noise.
std::string p_text(double p) { return p < 0.001 ? "< 0.001" : fmt::format("{:.3f}", p); }

GridCell p_cell(const TableRow& row) {
  if (!row.difference || !row.difference->p_holm) return {};
  return {p_text(*row.difference->p_holm), row.difference->survives ? Weight::plain : Weight::faint};
}

// Published numbers as they were written: percent already, with the source's own decimals.
GridCell published_cell(const TableRow& row) {
  std::vector<std::string> values;
  for (const PublishedRecord& record : row.published) {
    std::string text = number(*record.value);
    if (record.deviation) text += fmt::format(" +- {}", number(*record.deviation));
    values.push_back(text);
  }
  return {join(values, "; "), Weight::plain, row.published_notes};
}

// "3", or "2 of 3" where seeds failed.
std::string count_text(std::size_t count, std::size_t all) {
  return count == all ? fmt::format("{}", count) : fmt::format("{} of {}", count, all);
}

bool any_row(const TableSection& section, auto&& has) { return std::ranges::any_of(section.rows, has); }

// What a section's grid shows beside its metrics.
struct Shows {
  bool probe, seeds, difference, p, chosen, published;

  explicit Shows(const TableSection& section)
      : probe(any_row(section, [&](const TableRow& r) { return r.probe != section.rows.front().probe; })),
        seeds(any_row(section, [](const TableRow& r) { return r.results.size() > 1; })),
        difference(any_row(section, [](const TableRow& r) { return r.difference.has_value(); })),
        p(any_row(section, [](const TableRow& r) { return r.difference && r.difference->p_holm; })),
        chosen(any_row(section, [](const TableRow& r) { return !r.chosen.empty(); })),
        published(any_row(section, [](const TableRow& r) { return !r.published.empty(); })) {}
};

// Importance 3 never leaves a narrow terminal; 0 is the first to go.
std::vector<GridColumn> columns(const TableSection& section, const Shows& shows) {
  // Where all rows share one probe, its column may leave a narrow terminal.
  std::vector<GridColumn> result{{"backbone", false, 3}, {"probe", false, shows.probe ? 3 : 1}};
  if (shows.seeds) result.push_back({section.folds.empty() ? "seeds" : "folds", true, 0});
  for (const std::string& key : section.shown) {
    const bool primary = key == section.primary_metric;
    result.push_back({std::string(metric_name(key).short_title), true, primary ? 3 : 1});
    if (primary && shows.difference) result.push_back({fmt::format("vs {}", section.baseline), true, 3});
    if (primary && shows.p) result.push_back({"p (Holm)", true, 2});
  }
  if (shows.published) result.push_back({"published", true, 1});
  if (shows.chosen)
    result.push_back({section.selected_on.empty() ? "chosen" : "chosen on " + section.selected_on, false, 0});
  return result;
}

// The cells of a failed row: as many as measured_cells() gives, "failed" in place of the primary metric.
std::vector<GridCell> failed_cells(const TableRow& row, const TableSection& section, const Shows& shows) {
  std::vector<GridCell> cells;
  for (const std::string& key : section.shown) {
    const bool primary = key == section.primary_metric;
    cells.push_back(primary ? GridCell{"failed", Weight::strong} : GridCell{});
    if (primary && shows.difference) cells.push_back({row.is_baseline ? "baseline" : ""});
    if (primary && shows.p) cells.emplace_back();
  }
  return cells;
}

std::vector<GridCell> measured_cells(const TableRow& row, const TableSection& section, const Shows& shows) {
  std::vector<GridCell> cells;
  for (const std::string& key : section.shown) {
    const std::size_t place = std::ranges::find(section.metrics, key) - section.metrics.begin();
    const MetricName metric = metric_name(key);
    cells.push_back(metric_cell(metric, row.metrics[place], section.sizes.test));
    if (key != section.primary_metric) continue;
    if (shows.difference) cells.push_back(difference_cell(metric, row, section.sizes.test));
    if (shows.p) cells.push_back(p_cell(row));
  }
  return cells;
}

std::vector<GridCell> row_cells(const TableRow& row, const TableSection& section, const Shows& shows) {
  std::vector<GridCell> cells{{row.backbone, Weight::plain, row.notes}, {row.probe}};
  if (shows.seeds)
    cells.push_back({count_text(row.seeds, section.folds.empty() ? row.results.size() : section.folds.size())});
  for (GridCell& cell : row.failed ? failed_cells(row, section, shows) : measured_cells(row, section, shows))
    cells.push_back(std::move(cell));
  if (shows.published) cells.push_back(published_cell(row));
  if (shows.chosen) cells.push_back({row.chosen + (row.on_edge ? " (edge)" : "")});
  return cells;
}

}  // namespace

Grid section_grid(const TableSection& section) {
  // columns() and row_cells() push their cells in the same order; the grid's shape follows from both.
  const Shows shows(section);
  Grid grid{columns(section, shows), {}};
  for (const TableRow& row : section.rows) grid.rows.push_back(row_cells(row, section, shows));
  return grid;
}

std::string section_title(const TableSection& section) {
  constexpr std::size_t kMost = 8;
  std::string title = fmt::format("{}: {}", section.task, section.target);
  if (!section.class_names.empty()) {
    const std::size_t shown = std::min(kMost, section.class_names.size());
    title += fmt::format(" ({}", fmt::join(section.class_names.begin(), section.class_names.begin() + shown, ", "));
    title += shown < section.class_names.size() ? fmt::format(", ... {} in all)", section.class_names.size()) : ")";
  }
  if (section.shots > 0) title += fmt::format(", {} training images a class", section.shots);
  if (section.fraction < 1) title += fmt::format(", {} % of the training images", number(100 * section.fraction));
  if (!section.where.empty()) title += fmt::format(", where {}", section.where);
  return title;
}

std::string section_head(const TableSection& section) {
  const MetricName metric = metric_name(section.primary_metric);
  if (!section.folds.empty())
    return fmt::format("{}{}: mean over the test sets of {}.1 to {}.{} ({} images)", metric.title,
                       metric.percent ? " in %" : "", section.task, section.task, section.folds.size(),
                       section.sizes.test);
  if (section.split_origin.empty())
    return fmt::format("{}{} on test; no row came as far as the split", metric.title, metric.percent ? " in %" : "");
  std::string head = fmt::format("{}{} on test ({} images); split: {}; train {}, val {}, test {}", metric.title,
                                 metric.percent ? " in %" : "", section.sizes.test, section.split_origin,
                                 section.sizes.train, section.sizes.val, section.sizes.test);
  if (section.sizes.unused > 0) head += fmt::format(", unused {}", section.sizes.unused);
  return head;
}

// Of accuracy McNemar's; of other metrics what the interval's width stands for, as 2.80 to 1.96 standard errors.
std::string section_foot(const TableSection& section) {
  constexpr double kFound = 2.801585218, kInterval = 1.959963985;  // z(0.975) + z(0.8), z(0.975)
  double least = 0, most = 0;
  bool draws = false;
  for (const TableRow& row : section.rows) {
    if (!row.difference) continue;
    draws |= row.difference->test == kCorrectedT;
    std::optional<double> one = row.difference->detectable;
    // McNemar's formula counts images of one test set and so doesn't fit other metrics, or means over folds.
    if (section.primary_metric != "accuracy" || !section.folds.empty()) {
      // Half an interval is 1.96 standard errors; a difference of 1.96 + 0.84 of them is found 4 times of 5.
      const auto& interval = row.difference->interval;
      one = interval ? std::optional((interval->high - interval->low) / 2 * kFound / kInterval) : std::nullopt;
    }
    if (!one) continue;
    least = most == 0 ? *one : std::min(least, *one);
    most = std::max(most, *one);
  }
  if (most == 0) return "";
  const MetricName metric = metric_name(section.primary_metric);
  const std::string low = metric_text(metric, least, section.sizes.test),
                    high = metric_text(metric, most, section.sizes.test);
  const std::string by =
      draws ? fmt::format("{} drawn splits", section.folds.size()) : fmt::format("{} test images", section.sizes.test);
  return fmt::format("Found 4 times of 5 by these {}: a difference to {} of {}{}{}.", by, section.baseline, low,
                     low == high ? "" : fmt::format(" to {}, by row", high), metric.percent ? " (points)" : "");
}

std::vector<std::string> reading_guide(const ComparisonTable& table) {
  // Sentences are added only for marks that some row shows: a guide to what isn't there would not be read.
  bool seeds = false, folds = false, draws = false, tested = false, alone = false, intervals = false, classes = false;
  for (const TableSection& section : table.sections)
    for (const TableRow& row : section.rows) {
      (section.folds.empty() ? seeds : folds) |= row.seeds > 1;
      classes |= section.target_kind == datasets::TargetKind::classes;
      intervals |= !row.metrics.empty() && row.metrics.front().interval.has_value();
      tested |= row.difference && row.difference->p_holm;
      alone |= row.difference && row.difference->survives_alone && !row.difference->survives;
      draws |= !section.folds.empty() && is_drawn_several_times(table.sections[section.folds.front()]);
    }
  std::vector<std::string> guide;
  if (intervals)
    guide.push_back(fmt::format(
        "[low, high]: {} % interval over test images, bootstrap of {} resamples{}{}.", number(100 * table.level),
        table.resamples, classes ? " within classes" : "",
        draws ? "; of a mean over drawn splits, as its tests, by Student's t corrected for their overlap (Nadeau and "
                "Bengio 2003)"
              : ""));
  if (seeds)
    guide.push_back(
        "+-: standard deviation over seeds (ddof 1); of rows with several models the interval is over images and "
        "seeds.");
  if (folds) guide.push_back("+- of a mean over folds: standard deviation over them (ddof 1).");
  for (std::string& sentence : verdict_guide(table.verdict)) guide.push_back(std::move(sentence));
  if (alone) guide.push_back("ns (Holm): significant by itself, as its own interval is, but not after the adjustment.");
  if (tested)
    guide.push_back(
        fmt::format("Differences are paired by image; p is adjusted after Holm over the rows of a table; ns: "
                    "not significant at {}.",
                    number(table.alpha)));
  return guide;
}

}  // namespace vise::reports
