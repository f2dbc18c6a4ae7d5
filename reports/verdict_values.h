// The verdict: what a table of several tasks says as a whole. One value with everything that writers and the page show.
//
//   const Verdict& verdict = report.table.verdict;
//   for (const TaskComparison& comparison : verdict.comparisons) ...    // empty where there is one task
//
// Every backbone against the baseline over all tasks, for each probe and sample of train: mean gain, wins, ranks, the
// chance of being best, and what kinds of tasks differ in; then, over samples, how many labels a backbone needs; and,
// over taps, which layer is best. Made by make_verdict() (make_verdict.h) from saved scores. Methods and sources:
// docs/statistics.md. Plain values.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "reports/statistics/interval.h"
#include "reports/statistics/ranks.h"

namespace vise::reports {

// A number over tasks, with what two questions leave open: other test images (and training runs) of these tasks, or
// other tasks like these as well. The p-values are two-sided, of the number being 0.
struct OverTasks {
  double value = 0;
  std::optional<Interval> these, alike;          // exclude 0 where the p beside them is below alpha
  std::optional<double> p_these, p_alike;        //
  std::optional<double> holm_these, holm_alike;  // adjusted over the rows of the comparison
  std::optional<double> detectable;              // of these tasks: what would be found with 80 % power
};

struct VerdictTask {
  std::size_t section = 0;  // in ComparisonTable::sections
  std::string task, target, kind, metric;
  std::size_t images = 0;                // of test
  std::optional<double> floor, ceiling;  // of the metric: what a constant guess scores, and what the truth does
};

struct VerdictRow {
  std::string backbone;  // with layer and pool where a task has several rows of it
  bool is_baseline = false;
  std::vector<std::size_t> rows;     // a task each: its place in the task's section
  std::vector<double> scores;        // the primary metric, a task each
  std::optional<double> mean;        // of the scores, where all tasks have one metric
  std::optional<double> mean_share;  // of the way from floor to ceiling, where every task has both
  // The mean gain over the baseline, in the metric's own units and in shares; nothing for the baseline.
  std::optional<OverTasks> gain, gain_share;
  std::size_t wins = 0, ties = 0, losses = 0;  // as the tasks' tables mark them after Holm
  double mean_rank = 1;                        // 1 is best
  std::optional<Interval> rank_these, rank_alike;
  std::optional<double> best_these, best_alike;   // share of resamples in which its mean is the largest
  std::optional<double> wilcoxon, wilcoxon_holm;  // exact p over tasks against the baseline
};

// How much more a backbone gains on tasks of one kind than on those of another.
struct KindGain {
  std::size_t row = 0;
  std::string kind, other;
  std::size_t tasks = 0, other_tasks = 0;
  double gain = 0, other_gain = 0;
  OverTasks difference;
};

// Every backbone on every task, by one probe and sample of train.
struct TaskComparison {
  std::string probe;  // "" where each task has its own
  int shots = 0;
  double fraction = 1;
  std::string where, baseline;
  std::string metric;      // of all tasks, or "" where they differ
  bool in_shares = false;  // whether tables, ranks and kinds speak of shares, as they do where metrics differ
  std::vector<VerdictTask> tasks;
  std::vector<VerdictRow> rows;
  std::vector<KindGain> kinds;
  // Where there are at least kFewestForRanks tasks: do any differ, and which (by Nemenyi's distance of mean ranks, and
  // by Wilcoxon's tests of every pair, adjusted after Holm).
  Friedman friedman;
  std::optional<double> critical_difference;
  std::vector<std::vector<std::optional<double>>> pairs;  // rows x rows: Holm's p
  std::vector<std::vector<std::size_t>> cliques;          // rows, by mean rank, none of which differ by `pairs`
  std::vector<std::string> says;                          // sentences: the answer first
};

inline constexpr std::size_t kFewestForRanks = 5;

// A backbone over samples of train, on one task or (task "") on the mean of all.
struct LabelPoint {
  int shots = 0;
  double fraction = 1;
  double labels = 0;  // training images, val among them where the cell learnt from all of train
  double value = 0;
  std::optional<Interval> band;
};

struct LabelCurve {
  std::string task, target, metric, probe, backbone;
  bool is_baseline = false;
  std::vector<LabelPoint> points;  // from few labels to many
  // Labels it needs, to labels the baseline needs, for what the worse of the two reaches with all of its: below 1 it
  // needs fewer. `at_most`: the fewest labels tried suffice already.
  std::optional<double> ratio;
  std::optional<Interval> ratio_interval;
  bool at_most = false;
};

// A backbone over layers, on the mean of all tasks or on the only one.
struct LayerPoint {
  std::string layer, pool;
  double value = 0;
  std::optional<Interval> band;
};

struct LayerCurve {
  std::string task, target, metric, probe, backbone;
  std::vector<LayerPoint> points;  // in the table's order
};

struct Verdict {
  std::vector<TaskComparison> comparisons;  // all of train first
  std::vector<LabelCurve> labels;
  std::vector<LayerCurve> layers;

  bool empty() const { return comparisons.empty() && labels.empty() && layers.empty(); }
};

// docs/formats/verdict.md
Json verdict_json(const Verdict& verdict);
// A line a backbone of each comparison.
std::string verdict_csv(const Verdict& verdict);

}  // namespace vise::reports
