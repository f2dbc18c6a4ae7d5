// Figures of what all tasks say together, and of curves over layers.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "reports/figures/figure.h"

namespace vise::reports {
namespace {

// ", logreg, 16 a class": what the title adds where comparisons differ in it.
std::string sample_words(const TaskComparison& comparison) {
  std::string words = comparison.probe.empty() ? "" : ", " + comparison.probe;
  if (comparison.shots > 0) words += fmt::format(", {} a class", comparison.shots);
  if (comparison.fraction < 1) words += fmt::format(", {} % of train", number(100 * comparison.fraction));
  return comparison.where.empty() ? words : words + ", where " + comparison.where;
}

// Demsar's diagram of mean ranks. It exists where there are tasks enough for tests of ranks.
Figure ranks_figure(const TaskComparison& comparison) {
  Figure figure{.title = fmt::format("Over {} tasks: mean ranks{}", comparison.tasks.size(), sample_words(comparison)),
                .kind = FigureKind::ranks,
                .x_title = "mean rank",
                .series = {{"mean rank", {}}}};
  std::vector<std::size_t> order, place(comparison.rows.size());
  for (std::size_t r = 0; r < comparison.rows.size(); ++r) order.push_back(r);
  std::ranges::stable_sort(order, {}, [&](std::size_t r) { return comparison.rows[r].mean_rank; });
  for (const std::size_t r : order) {
    const VerdictRow& row = comparison.rows[r];
    // Groups name rows; the figure has them in the order of their ranks.
    place[r] = figure.series[0].points.size();
    figure.series[0].points.push_back(
        {row.mean_rank, static_cast<double>(place[r]), row.rank_these, row.backbone, row.is_baseline});
  }
  for (const std::vector<std::size_t>& clique : comparison.cliques) {
    std::vector<std::size_t>& group = figure.groups.emplace_back();
    for (const std::size_t r : clique) group.push_back(place[r]);
    std::ranges::sort(group);
  }
  return figure;
}

std::string of_what(const std::string& task) { return task.empty() ? "Over all tasks" : task; }

// The one that holds a curve's samples or taps, distinguished by `key`; a new one where there is none.
class ByKey {
 public:
  Figure& operator()(const std::string& key, const Figure& fresh) {
    const auto at = static_cast<std::size_t>(std::ranges::find(keys_, key) - keys_.begin());
    if (at == keys_.size()) keys_.push_back(key), figures_.push_back(fresh);
    return figures_[at];
  }
  std::vector<Figure> take() { return std::move(figures_); }

 private:
  std::vector<std::string> keys_;
  std::vector<Figure> figures_;
};

// Of the mean over tasks; each task's own is drawn with its sections.
void add_label_curves(const Verdict& verdict, ByKey& figures) {
  for (const LabelCurve& curve : verdict.labels) {
    if (!curve.task.empty()) continue;
    const MetricName metric = metric_name(curve.metric);
    std::string key = fmt::format("labels {} {}", curve.probe, curve.metric);
    // Only curves over the same samples share a figure: their points are above each other.
    for (const LabelPoint& p : curve.points) key += fmt::format(" {}/{}", p.shots, p.fraction);
    Figure& figure = figures(key, {.title = fmt::format("{}: label efficiency, {}", of_what(""), curve.probe),
                                   .kind = FigureKind::lines,
                                   .x_title = "training images",
                                   .y_title = axis_title(metric),
                                   .log_x = true,
                                   .bands = true});
    if (figure.series.size() == kMostLines) continue;
    FigureSeries& series = figure.series.emplace_back(FigureSeries{curve.backbone, {}});
    for (const LabelPoint& p : curve.points)
      series.points.push_back({p.labels, shown_value(metric, p.value), shown_interval(metric, p.band), {}, false});
  }
}

// Names of the taps, with the pool where one curve has several.
std::vector<std::string> tap_names(const LayerCurve& curve) {
  const bool several =
      std::ranges::any_of(curve.points, [&](const LayerPoint& p) { return p.pool != curve.points.front().pool; });
  std::vector<std::string> names;
  for (const LayerPoint& p : curve.points) names.push_back(several ? p.layer + "/" + p.pool : p.layer);
  return names;
}

// One figure for all backbones with the same layers on one task, or on the mean of all.
void add_layer_curves(const Verdict& verdict, ByKey& figures) {
  for (const LayerCurve& curve : verdict.layers) {
    const MetricName metric = metric_name(curve.metric);
    const std::vector<std::string> names = tap_names(curve);
    std::string key = fmt::format("layers {} {} {} {}", curve.task, curve.target, curve.probe, curve.metric);
    for (const LayerPoint& p : curve.points) key += fmt::format(" {}/{}", p.layer, p.pool);
    Figure& figure = figures(key, {.title = fmt::format("{}: layers, {}", of_what(curve.task), curve.probe),
                                   .kind = FigureKind::lines,
                                   .x_title = "layer",
                                   .y_title = axis_title(metric),
                                   .bands = true,
                                   .x_names = names});
    if (figure.series.size() == kMostLines) continue;
    FigureSeries& series = figure.series.emplace_back(FigureSeries{curve.backbone, {}});
    for (const LayerPoint& p : curve.points)
      series.points.push_back({static_cast<double>(series.points.size()),
                               shown_value(metric, p.value),
                               shown_interval(metric, p.band),
                               {},
                               false});
  }
}

}  // namespace

std::vector<Figure> verdict_figures(const Verdict& verdict) {
  std::vector<Figure> figures;
  for (const TaskComparison& comparison : verdict.comparisons)
    if (comparison.critical_difference && comparison.rows.size() > 1) figures.push_back(ranks_figure(comparison));
  ByKey curves;
  add_label_curves(verdict, curves);
  add_layer_curves(verdict, curves);
  for (Figure& figure : curves.take()) figures.push_back(std::move(figure));
  return figures;
}

}  // namespace vise::reports
