// The part of a comparison over tasks that ranks: mean ranks and the chance of being best from resamples, and Demsar's
// tests from the scores.
#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "base/threads.h"
#include "reports/metric_names.h"
#include "reports/statistics/bootstrap.h"
#include "reports/statistics/holm.h"
#include "reports/statistics/wilcoxon.h"
#include "reports/verdict/comparison.h"
#include "reports/verdict/task_scores.h"

namespace vise::reports {
namespace {

// Takes a task's metric to the comparison's scale, where higher is better and tasks can be averaged.
struct Scale {
  double offset = 0, factor = 1;
  double operator()(double value) const { return (value - offset) * factor; }
};

Scale scale_of(const VerdictTask& task, bool in_shares) {
  if (in_shares) return {*task.floor, 1 / (*task.ceiling - *task.floor)};
  return {0, metric_name(task.metric).higher_is_better ? 1.0 : -1.0};
}

// tasks x rows, in steps of a resample.
class ResampledMatrix {
 public:
  ResampledMatrix(const Sources& sources, const TaskComparison& comparison, std::size_t resamples)
      : tasks_(comparison.tasks.size()), rows_(comparison.rows.size()) {
    for (std::size_t t = 0; t < tasks_; ++t) {
      const VerdictTask& task = comparison.tasks[t];
      const Scale scale = scale_of(task, comparison.in_shares);
      for (const VerdictRow& row : comparison.rows) {
        std::vector<double>& scores = scores_.emplace_back(resampled_scores(
            sources.table.sections[task.section], sources.evidence[task.section], row.rows[t], resamples));
        complete_ &= scores.size() == resamples && resamples > 0;
        for (double& score : scores) score = scale(score);
      }
    }
  }

  bool is_complete() const { return complete_; }
  void copy_task(std::size_t task, std::size_t resample, std::span<double> scores) const {
    for (std::size_t r = 0; r < rows_; ++r) scores[r] = scores_[task * rows_ + r][resample];
  }

 private:
  std::size_t tasks_, rows_;
  std::vector<std::vector<double>> scores_;
  bool complete_ = true;
};

// Of resamples: each row's mean rank, and its share of having the largest mean.
struct Ranking {
  std::vector<std::vector<double>> ranks;  // rows x resamples
  std::vector<double> best;
};

// `task_of` says which task is at a place of resample r.
Ranking rank_resamples(const ResampledMatrix& matrix, std::size_t tasks, std::size_t rows, std::size_t resamples,
                       auto&& task_of) {
  Ranking ranking{std::vector(rows, std::vector<double>(resamples)), std::vector<double>(rows)};
  std::vector<double> scores(rows), means(rows);
  for (std::size_t r = 0; r < resamples; ++r) {
    std::ranges::fill(means, 0);
    for (std::size_t place = 0; place < tasks; ++place) {
      matrix.copy_task(task_of(r, place), r, scores);
      // Ranks within a task are of this resample's scores: images move them, and tasks where these are drawn too.
      const std::vector<double> ranks = average_ranks(scores);
      for (std::size_t e = 0; e < rows; ++e) {
        means[e] += scores[e];
        ranking.ranks[e][r] += ranks[e] / static_cast<double>(tasks);
      }
    }
    const double top = *std::ranges::max_element(means);
    const auto leads = [&](double mean) { return mean > top - 1e-12; };
    // Rows that tie for the lead share the resample.
    const double share = 1 / static_cast<double>(std::ranges::count_if(means, leads));
    for (std::size_t e = 0; e < rows; ++e)
      ranking.best[e] += leads(means[e]) ? share / static_cast<double>(resamples) : 0;
  }
  return ranking;
}

// Intervals of mean ranks and the chance of being best, for both questions.
void add_resampled_ranks(const Sources& sources, TaskComparison& comparison, std::size_t resamples, double level) {
  const ResampledMatrix matrix(sources, comparison, resamples);
  if (!matrix.is_complete()) return;
  const std::size_t tasks = comparison.tasks.size(), rows = comparison.rows.size();
  RandomStream random("reports/verdict/tasks", 0);
  std::vector<std::uint32_t> drawn(tasks * resamples);
  // For "tasks like these" tasks are drawn too, with replacement; within a resample each
  // row meets the same tasks.
  for (std::uint32_t& task : drawn) task = static_cast<std::uint32_t>(random.below(tasks));
  const Ranking these = rank_resamples(matrix, tasks, rows, resamples, [](std::size_t, std::size_t t) { return t; }),
                alike = rank_resamples(matrix, tasks, rows, resamples,
                                       [&](std::size_t r, std::size_t place) { return drawn[r * tasks + place]; });
  for (std::size_t e = 0; e < rows; ++e) {
    VerdictRow& row = comparison.rows[e];
    row.rank_these = percentile_interval(these.ranks[e], level);
    row.rank_alike = percentile_interval(alike.ranks[e], level);
    row.best_these = these.best[e];
    row.best_alike = alike.best[e];
  }
}

// Every pair's Wilcoxon test, adjusted over all pairs.
void add_pairs(TaskComparison& comparison, const std::vector<double>& scores) {
  const std::size_t rows = comparison.rows.size(), tasks = comparison.tasks.size();
  std::vector<std::optional<double>> p;
  for (std::size_t a = 0; a < rows; ++a)
    for (std::size_t b = 0; b < a; ++b) {
      std::vector<double> differences;
      for (std::size_t t = 0; t < tasks; ++t) differences.push_back(scores[t * rows + a] - scores[t * rows + b]);
      p.push_back(wilcoxon(differences).p.value_or(1));
    }
  p = holm(p);
  comparison.pairs.assign(rows, std::vector<std::optional<double>>(rows));
  std::size_t at = 0;
  for (std::size_t a = 0; a < rows; ++a)
    for (std::size_t b = 0; b < a; ++b, ++at) comparison.pairs[a][b] = comparison.pairs[b][a] = p[at];
}

// Runs of neighbours by mean rank in which no pair differs, none within another: the diagram's bars.
void add_cliques(TaskComparison& comparison, double alpha) {
  std::vector<std::size_t> order;
  for (std::size_t e = 0; e < comparison.rows.size(); ++e) order.push_back(e);
  std::ranges::stable_sort(order, {}, [&](std::size_t e) { return comparison.rows[e].mean_rank; });
  std::size_t reached = 0;  // the last clique's end
  for (std::size_t first = 0; first < order.size(); ++first) {
    std::size_t end = first + 1;
    const auto fits = [&](std::size_t e) {
      return std::all_of(order.begin() + static_cast<std::ptrdiff_t>(first),
                         order.begin() + static_cast<std::ptrdiff_t>(e),
                         [&](std::size_t other) { return *comparison.pairs[order[e]][other] >= alpha; });
    };
    // A bar spans neighbours, so a run ends at the first row that differs from any in it, even if rows beyond it
    // don't.
    while (end < order.size() && fits(end)) ++end;
    if (end - first > 1 && end > reached)
      comparison.cliques.emplace_back(order.begin() + static_cast<std::ptrdiff_t>(first),
                                      order.begin() + static_cast<std::ptrdiff_t>(end));
    reached = std::max(reached, end);
  }
}

// Against the baseline alone, where it is one row: fewer tests than all pairs, so more is seen.
void add_wilcoxon(TaskComparison& comparison, const std::vector<double>& scores) {
  const std::size_t rows = comparison.rows.size();
  const auto baseline = std::ranges::find_if(comparison.rows, &VerdictRow::is_baseline) - comparison.rows.begin();
  if (std::ranges::count_if(comparison.rows, &VerdictRow::is_baseline) != 1) return;
  std::vector<std::optional<double>> p(rows);
  for (std::size_t e = 0; e < rows; ++e) {
    if (comparison.rows[e].is_baseline) continue;
    std::vector<double> differences;
    for (std::size_t t = 0; t < comparison.tasks.size(); ++t)
      differences.push_back(scores[t * rows + e] - scores[t * rows + static_cast<std::size_t>(baseline)]);
    p[e] = wilcoxon(differences).p.value_or(1);
  }
  const auto adjusted = holm(p);
  for (std::size_t e = 0; e < rows; ++e)
    comparison.rows[e].wilcoxon = p[e], comparison.rows[e].wilcoxon_holm = adjusted[e];
}

}  // namespace

void add_ranks(const Sources& sources, TaskComparison& comparison, std::size_t resamples, double level, double alpha) {
  const std::size_t rows = comparison.rows.size();
  std::vector<double> scores;
  for (std::size_t t = 0; t < comparison.tasks.size(); ++t)
    for (const VerdictRow& row : comparison.rows)
      scores.push_back(scale_of(comparison.tasks[t], comparison.in_shares)(row.scores[t]));
  const std::vector<double> ranks = mean_ranks(scores, rows);
  for (std::size_t e = 0; e < rows; ++e) comparison.rows[e].mean_rank = ranks[e];
  add_resampled_ranks(sources, comparison, resamples, level);
  // With few tasks no rank test can reach 0.05, so none is shown.
  if (comparison.tasks.size() < kFewestForRanks) return;
  comparison.friedman = friedman(scores, rows);
  comparison.critical_difference = critical_difference(rows, comparison.tasks.size(), alpha);
  add_wilcoxon(comparison, scores);
  add_pairs(comparison, scores);
  add_cliques(comparison, alpha);
}

}  // namespace vise::reports
