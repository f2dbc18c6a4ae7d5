#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>

#include "base/text.h"
#include "reports/figures/figure.h"
#include "reports/layout.h"
#include "reports/metric_names.h"

namespace vise::reports {
namespace {

// With more classes a cell would have but a few pixels.
constexpr std::size_t kMostClasses = 40;

std::string slug(const std::string& text) {
  std::string result;
  for (const char c : text) {
    // ASCII alone: these become file names, which LaTeX and web servers must be able to read.
    const bool is_word = std::isalnum(static_cast<unsigned char>(c)) != 0 && static_cast<unsigned char>(c) < 0x80;
    if (is_word)
      result += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    else if (!result.empty() && result.back() != '-')
      result += '-';
  }
  while (result.ends_with('-')) result.pop_back();
  return result;
}

// With the probe where the section has several, as a row is a backbone with a probe.
std::string row_name(const TableSection& section, const TableRow& row) {
  const bool several =
      std::ranges::any_of(section.rows, [&](const TableRow& r) { return r.probe != section.rows.front().probe; });
  return several ? row.backbone + " / " + row.probe : row.backbone;
}

// What tells sections of one task apart: their sample of train and condition.
std::string sample_text(const TableSection& section) {
  std::string text;
  if (section.shots > 0) text = fmt::format(", {} a class", section.shots);
  if (section.fraction < 1) text = fmt::format(", {} % of train", number(100 * section.fraction));
  return section.where.empty() ? text : text + ", where " + section.where;
}

// The primary metric's estimate; null for a row that failed or has none.
const Estimate* primary(const TableSection& section, const TableRow& row) {
  const std::size_t place = std::ranges::find(section.metrics, section.primary_metric) - section.metrics.begin();
  return !row.failed && place < row.metrics.size() && row.metrics[place].value ? &row.metrics[place] : nullptr;
}

// Gives each figure a file name of its own.
class Gathered {
 public:
  void add(Figure figure, const TableSection& section, const std::string& what) {
    figure.title = fmt::format("{}: {}{}", section.task, what, sample_text(section));
    add(std::move(figure), section.task + sample_text(section) + " " + what);
  }

  void add(Figure figure, const std::string& words) {
    const bool has_any = !figure.counts.empty() ||
                         std::ranges::any_of(figure.series, [](const FigureSeries& s) { return !s.points.empty(); });
    // Also drops what efficiency_figure() gives for a section that has no family, or isn't its first.
    if (!has_any) return;
    const std::string stem = slug(words);
    figure.name = stem;
    // Two titles may have one slug ("a b" and "a-b"); without this the second file would overwrite the first.
    for (int n = 2; !names_.insert(figure.name).second; ++n) figure.name = fmt::format("{}-{}", stem, n);
    figures_.push_back(std::move(figure));
  }
  std::vector<Figure> take() { return std::move(figures_); }

 private:
  std::vector<Figure> figures_;
  std::set<std::string> names_;
};

// A dot a row with its interval, the baseline marked.
Figure values_figure(const TableSection& section) {
  const MetricName metric = metric_name(section.primary_metric);
  Figure figure{.kind = FigureKind::dots, .x_title = axis_title(metric), .series = {{std::string(metric.title), {}}}};
  for (const TableRow& row : section.rows)
    if (const Estimate* const e = primary(section, row))
      figure.series[0].points.push_back({shown_value(metric, *e->value),
                                         static_cast<double>(figure.series[0].points.size()),
                                         shown_interval(metric, e->interval), row_name(section, row), row.is_baseline});
  return figure;
}

// The curve of the first seed; null for means over folds and for probes that had nothing to choose.
const probes::Selection* selection_of(const ComparisonTable& table, const TableRow& row) {
  if (!row.fold_rows.empty() || row.results.empty()) return nullptr;
  const probes::Selection& selection = table.results[row.results.front()].selection;
  return selection.curve.size() > 1 && !selection.curve.front().parameters->empty() ? &selection : nullptr;
}

// A figure a parameter. Rows without that parameter are not in it, and of many rows the first kMostLines are.
void add_sweeps(Gathered& gathered, const ComparisonTable& table, const TableSection& section) {
  std::map<std::string, Figure> by_parameter;
  for (const TableRow& row : section.rows) {
    const probes::Selection* const selection = selection_of(table, row);
    if (!selection) continue;
    // The first in alphabetical order, where a probe chooses several together.
    const std::string parameter = selection->curve.front().parameters->begin()->first;
    const MetricName metric = metric_name(selection->metric);
    Figure& figure = by_parameter[parameter];
    figure.kind = FigureKind::lines;
    figure.x_title = parameter;
    figure.y_title = axis_title(metric) + (section.selected_on.empty() ? "" : " on " + section.selected_on);
    if (figure.series.size() == kMostLines) continue;
    FigureSeries series{row_name(section, row), {}};
    for (const probes::Candidate& c : selection->curve)
      if (std::isfinite(c.score) && c.parameters->contains(parameter))
        series.points.push_back(
            {c.parameters->at(parameter), shown_value(metric, c.score), {}, {}, *c.parameters == selection->chosen});
    figure.series.push_back(std::move(series));
  }
  for (auto& [parameter, figure] : by_parameter) {
    double low = INFINITY, high = 0;
    for (const FigureSeries& series : figure.series)
      for (const FigurePoint& p : series.points) low = std::min(low, p.x), high = std::max(high, p.x);
    // Grids of C or of learning rates grow by factors; counts and small ranges are read
    // better on a linear axis.
    figure.log_x = low > 0 && high / low > 50;
    gathered.add(std::move(figure), section, "sweep of " + parameter);
  }
}

bool differ_in_sample_alone(const TableSection& a, const TableSection& b) {
  return a.task == b.task && a.target == b.target && a.where == b.where && a.primary_metric == b.primary_metric &&
         a.split_hash == b.split_hash;
}

// Once for the sections of one task that differ in the training images alone, at the first of them.
Figure efficiency_figure(const ComparisonTable& table, const TableSection& first) {
  const MetricName metric = metric_name(first.primary_metric);
  Figure figure{.kind = FigureKind::lines, .x_title = "training images", .y_title = axis_title(metric), .log_x = true};
  std::vector<const TableSection*> family;
  for (const TableSection& section : table.sections)
    if (differ_in_sample_alone(section, first)) family.push_back(&section);
  if (family.size() < 2 || family.front() != &first) return {};
  for (const TableSection* const section : family)
    for (const TableRow& row : section->rows) {
      const Estimate* const e = primary(*section, row);
      if (!e) continue;
      const std::string name = row_name(*section, row);
      auto series = std::ranges::find(figure.series, name, &FigureSeries::name);
      if (series == figure.series.end() && figure.series.size() == kMostLines) continue;
      if (series == figure.series.end()) series = figure.series.insert(series, FigureSeries{name, {}});
      series->points.push_back({static_cast<double>(training_images(*section)),
                                shown_value(metric, *e->value),
                                shown_interval(metric, e->interval),
                                {},
                                false});
    }
  for (FigureSeries& series : figure.series) std::ranges::sort(series.points, {}, &FigurePoint::x);
  return figure;
}

// Stages stacked by row. Their sum is processor time where threads worked side by side, hence the axis title.
Figure cost_figure(const ComparisonTable& table, const TableSection& section) {
  Figure figure{.kind = FigureKind::stacks, .x_title = "seconds, all threads together"};
  for (const TableRow& row : section.rows) {
    if (row.results.empty() || !row.fold_rows.empty()) continue;
    const double place = static_cast<double>(figure.rows.size());
    for (const auto& [key, seconds] : table.results[row.results.front()].seconds) {
      // Wall time contains the stages and would count them twice.
      if (key == "wall" || key == "features/wall") continue;
      // "features/decode" is the stage "decode": stages of features and of the fit are one list here.
      const std::string stage = key.substr(key.find('/') == std::string::npos ? 0 : key.find('/') + 1);
      auto series = std::ranges::find(figure.series, stage, &FigureSeries::name);
      if (series == figure.series.end()) series = figure.series.insert(series, FigureSeries{stage, {}});
      series->points.push_back({seconds, place, {}, {}, false});
    }
    figure.rows.push_back(row_name(section, row));
  }
  return figure;
}

// Observed accuracy over mean confidence: on the diagonal a probe is calibrated.
Figure reliability_figure(const TableSection& section, const SectionEvidence& evidence) {
  Figure figure{.kind = FigureKind::lines, .x_title = "confidence in %", .y_title = "right in %", .diagonal = true};
  for (std::size_t r = 0; r < evidence.rows().size() && figure.series.size() < kMostLines; ++r) {
    FigureSeries series{row_name(section, section.rows[r]), {}};
    for (const ReliabilityBin& bin : evidence.rows()[r].reliability)
      if (bin.count > 0) series.points.push_back({100 * bin.confidence, 100 * bin.accuracy, {}, {}, false});
    if (!series.points.empty()) figure.series.push_back(std::move(series));
  }
  return figure;
}

Figure agreement_figure(const TableSection& section, const SectionEvidence& evidence) {
  Figure figure{.kind = FigureKind::lines, .x_title = "votes for the label in %, at least", .y_title = "right in %"};
  for (std::size_t r = 0; r < evidence.rows().size() && figure.series.size() < kMostLines; ++r) {
    FigureSeries series{row_name(section, section.rows[r]), {}};
    for (const AgreementBin& bin : evidence.rows()[r].agreement)
      if (bin.count > 0) series.points.push_back({100 * bin.low, 100 * bin.accuracy, {}, {}, false});
    if (!series.points.empty()) figure.series.push_back(std::move(series));
  }
  return figure;
}

// A matrix a row. The counts are missing where no scores were kept.
void add_confusions(Gathered& gathered, const TableSection& section, const SectionEvidence& evidence) {
  const std::size_t k = section.class_names.size();
  if (k == 0 || k > kMostClasses) return;
  for (std::size_t r = 0; r < evidence.rows().size(); ++r) {
    const std::vector<std::uint64_t>& counts = evidence.rows()[r].confusion;
    if (counts.size() != k * k) continue;
    gathered.add({.kind = FigureKind::matrix,
                  .x_title = "predicted",
                  .y_title = "true",
                  .rows = section.class_names,
                  .counts = {counts.begin(), counts.end()}},
                 section, "confusions of " + row_name(section, section.rows[r]));
  }
}

}  // namespace

std::string axis_title(const MetricName& metric) {
  return fmt::format("{}{}", metric.title, metric.percent ? " in %" : "");
}

double shown_value(const MetricName& metric, double value) { return metric.percent ? 100 * value : value; }

std::optional<Interval> shown_interval(const MetricName& metric, const std::optional<Interval>& interval) {
  if (!interval) return {};
  return Interval{shown_value(metric, interval->low), shown_value(metric, interval->high)};
}

std::vector<Figure> figures_of(const Report& report) {
  Gathered gathered;
  for (Figure& figure : verdict_figures(report.table.verdict)) {
    const std::string words = figure.title;
    gathered.add(std::move(figure), words);
  }
  for (std::size_t s = 0; s < report.table.sections.size(); ++s) {
    const TableSection& section = report.table.sections[s];
    const SectionEvidence& evidence = report.evidence[s];
    gathered.add(values_figure(section), section, fmt::format("{} on test", metric_name(section.primary_metric).title));
    add_sweeps(gathered, report.table, section);
    gathered.add(efficiency_figure(report.table, section), section, "label efficiency");
    gathered.add(cost_figure(report.table, section), section, "cost");
    gathered.add(reliability_figure(section, evidence), section, "reliability");
    gathered.add(agreement_figure(section, evidence), section, "accuracy by agreement");
    add_confusions(gathered, section, evidence);
  }
  return gathered.take();
}

}  // namespace vise::reports
