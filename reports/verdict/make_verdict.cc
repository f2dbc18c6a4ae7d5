#include "reports/verdict/make_verdict.h"

#include <algorithm>

#include "base/threads.h"
#include "reports/compare.h"
#include "reports/metric_names.h"
#include "reports/verdict/comparison.h"
#include "reports/verdict/curves.h"
#include "reports/verdict/task_scores.h"

namespace vise::reports {
namespace {

// Of a mean over folds the kind of its folds' task, by which the options name it.
std::string kind_of(const ComparisonTable& table, const TableSection& section) {
  const std::string& task = section.folds.empty() ? section.task : table.sections[section.folds.front()].task;
  const auto found = table.kinds.find(task);
  return found == table.kinds.end() ? std::string() : found->second;
}

// The tasks of a comparison, with floor and ceiling of their metric where these are known.
std::vector<VerdictTask> tasks_of(const Sources& sources, const Entrants& entrants) {
  std::vector<VerdictTask> tasks;
  for (const std::size_t s : entrants.sections) {
    const TableSection& section = sources.table.sections[s];
    VerdictTask& task = tasks.emplace_back();
    task.section = s;
    task.task = section.task;
    task.target = section.target;
    task.kind = kind_of(sources.table, section);
    task.metric = section.primary_metric;
    task.images = section.sizes.test;
    // All folds of a task have the same classes, so the first one's floor is the task's.
    const std::size_t truth = section.folds.empty() ? s : section.folds.front();
    if (const auto range = range_of(section.primary_metric, sources.evidence[truth].targets()))
      task.floor = range->floor, task.ceiling = range->ceiling;
  }
  return tasks;
}

// A row with its scores and the marks that its tasks' tables give it.
VerdictRow row_of(const ComparisonTable& table, const TaskComparison& comparison, const Entrants& entrants,
                  std::size_t entrant) {
  VerdictRow row;
  row.backbone = entrants.names[entrant];
  row.rows = entrants.rows[entrant];
  bool shares = true;
  double sum = 0, sum_of_shares = 0;
  for (std::size_t t = 0; t < comparison.tasks.size(); ++t) {
    const VerdictTask& task = comparison.tasks[t];
    const TableRow& own = table.sections[task.section].rows[row.rows[t]];
    row.is_baseline = own.is_baseline;
    row.scores.push_back(*own.metrics.front().value);
    sum += row.scores.back();
    shares &= task.floor.has_value();
    if (shares) sum_of_shares += (row.scores.back() - *task.floor) / (*task.ceiling - *task.floor);
    if (!own.difference) continue;
    // Of an error, such as log loss, a smaller value is the gain.
    const bool is_gain = (own.difference->value > 0) == metric_name(task.metric).higher_is_better;
    ++(!own.difference->survives ? row.ties : is_gain ? row.wins : row.losses);
  }
  const double count = static_cast<double>(comparison.tasks.size());
  if (!comparison.metric.empty()) row.mean = sum / count;
  if (shares) row.mean_share = sum_of_shares / count;
  return row;
}

// The mean gain of every row in the metric's own units and in shares; each family of tests is adjusted by itself.
void add_gains(const Sources& sources, TaskComparison& comparison, double level) {
  std::vector<OverTasks*> gains, shares;
  const bool has_shares =
      std::ranges::all_of(comparison.tasks, [](const VerdictTask& task) { return task.floor.has_value(); });
  for (std::size_t r = 0; r < comparison.rows.size(); ++r) {
    VerdictRow& row = comparison.rows[r];
    if (row.is_baseline) continue;
    if (!comparison.metric.empty())
      gains.push_back(&row.gain.emplace(over_tasks(gains_of(sources, comparison, r, false), {}, level)));
    if (has_shares)
      shares.push_back(&row.gain_share.emplace(over_tasks(gains_of(sources, comparison, r, true), {}, level)));
  }
  adjust(gains);
  adjust(shares);
}

// Nothing where tasks have several metrics and some has no floor.
std::optional<TaskComparison> compared(const Sources& sources, const Entrants& entrants,
                                       const CompareOptions& options) {
  const TableSection& first = sources.table.sections[entrants.sections.front()];
  TaskComparison comparison;
  comparison.probe = entrants.probe;
  comparison.shots = first.shots;
  comparison.fraction = first.fraction;
  comparison.where = first.where;
  comparison.baseline = first.baseline;
  comparison.tasks = tasks_of(sources, entrants);
  const auto same = [&](const VerdictTask& task) { return task.metric == first.primary_metric; };
  if (std::ranges::all_of(comparison.tasks, same)) comparison.metric = first.primary_metric;
  comparison.in_shares = comparison.metric.empty();
  const auto has_range = [](const VerdictTask& task) { return task.floor.has_value(); };
  // An accuracy and a correlation can't be averaged as they are; shares of the way from
  // a constant guess to the truth can.
  if (comparison.in_shares && !std::ranges::all_of(comparison.tasks, has_range)) return {};
  for (std::size_t e = 0; e < entrants.names.size(); ++e)
    comparison.rows.push_back(row_of(sources.table, comparison, entrants, e));
  add_gains(sources, comparison, options.level);
  add_ranks(sources, comparison, static_cast<std::size_t>(std::max(0, options.resamples)), options.level,
            options.alpha);
  add_kinds(sources, comparison, options.level);
  add_sentences(sources.table, comparison, entrants.left_out);
  return comparison;
}

}  // namespace

Verdict make_verdict(const ComparisonTable& table, std::span<const SectionEvidence> evidence,
                     const CompareOptions& options, const Context& context) {
  const Sources sources = sources_of(table, evidence);
  // Comparisons are independent and each resamples only what is its own, so their order doesn't matter.
  const std::vector<Entrants> entrants = entrants_of(table);
  std::vector<std::optional<TaskComparison>> comparisons(entrants.size());
  parallel_for(context.threads, entrants.size(), [&](std::size_t i) {
    context.throw_if_stopped();
    comparisons[i] = compared(sources, entrants[i], options);
  });
  Verdict verdict;
  for (auto& comparison : comparisons)
    if (comparison) verdict.comparisons.push_back(std::move(*comparison));
  verdict.labels = label_curves(sources, static_cast<std::size_t>(std::max(0, options.resamples)), options.level);
  verdict.layers = layer_curves(sources, options.level);
  return verdict;
}

}  // namespace vise::reports
