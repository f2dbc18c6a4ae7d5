#include "reports/verdict/verdict_grid.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "reports/metric_names.h"

namespace vise::reports {
namespace {

constexpr std::size_t kFewImages = 0;  // one decimal of percent

// The metric's own name, or that of shares, which print in percent of the way.
MetricName scale_name(const TaskComparison& comparison) {
  if (comparison.in_shares) return {"share", "share of the way from floor to ceiling", "share"};
  return metric_name(comparison.metric);
}

std::string level_text(const TaskComparison& comparison, std::optional<double> value) {
  return value ? metric_text(scale_name(comparison), value, kFewImages) : "-";
}

// Value and interval; strong where p is below alpha, faint and "ns" where it isn't, plain where nothing was tested.
GridCell gain_cell(const TaskComparison& comparison, double value, const std::optional<Interval>& interval,
                   std::optional<double> p, double alpha) {
  if (!interval) return {"-", Weight::faint};
  std::string text = fmt::format("{} [{}, {}]", gain_text(comparison, value), gain_text(comparison, interval->low),
                                 gain_text(comparison, interval->high));
  if (!p) return {text};
  return *p < alpha ? GridCell{text, Weight::strong} : GridCell{text + " ns", Weight::faint};
}

std::string p_text(std::optional<double> p) {
  return !p ? std::string() : *p < 0.001 ? "< 0.001" : fmt::format("{:.3f}", *p);
}

// The head of a column over samples: "16 a class", "10 %", "all".
std::string sample_text(int shots, double fraction) {
  if (shots > 0) return fmt::format("{} a class", shots);
  return fraction < 1 ? fmt::format("{} %", number(100 * fraction)) : "all";
}

std::string rank_text(const VerdictRow& row) {
  std::string text = fmt::format("{:.2f}", row.mean_rank);
  if (row.rank_these) text += fmt::format(" [{:.2f}, {:.2f}]", row.rank_these->low, row.rank_these->high);
  return text;
}

std::string percent(std::optional<double> share) { return share ? fmt::format("{:.0f} %", 100 * *share) : "-"; }

std::string wins_text(const VerdictRow& row) { return fmt::format("{}/{}/{}", row.wins, row.ties, row.losses); }

bool is_of_all(const TaskComparison& comparison) { return comparison.shots == 0 && comparison.fraction == 1; }

std::string title_of(const TaskComparison& comparison) {
  std::string title = fmt::format("Verdict over {} tasks", comparison.tasks.size());
  if (!comparison.probe.empty()) title += fmt::format(", {}", comparison.probe);
  if (!comparison.where.empty()) title += fmt::format(", where {}", comparison.where);
  return title;
}

// What the column "mean" is a mean of: the metric and every task, with its target where a task is there twice.
std::string head_of(const TaskComparison& comparison) {
  const MetricName scale = scale_name(comparison);
  std::vector<std::string> tasks;
  for (const VerdictTask& task : comparison.tasks) {
    const bool twice = std::ranges::count(comparison.tasks, task.task, &VerdictTask::task) > 1;
    tasks.push_back(task.task + (twice ? ": " + task.target : "") + (task.kind.empty() ? "" : " (" + task.kind + ")"));
  }
  return fmt::format("mean of {}{} over {}", scale.title, scale.percent ? " in %" : "", join(tasks, ", "));
}

// The main block: a row a backbone, with the answers to both questions side by side.
VerdictBlock comparison_block(const TaskComparison& comparison, double alpha) {
  VerdictBlock block{title_of(comparison), head_of(comparison), {}, comparison.says};
  block.grid.columns = {{"backbone", false, 3},
                        {"mean", true, 3},
                        {fmt::format("vs {}, these tasks", comparison.baseline), true, 3},
                        {"p (Holm)", true, 1},
                        {"tasks like these", true, 3},
                        {"p (Holm)", true, 1},
                        {"win/tie/loss", true, 2},
                        {"mean rank", true, 2},
                        {"P(best)", true, 2}};
  for (const VerdictRow& row : comparison.rows) {
    const auto& gain = comparison.in_shares ? row.gain_share : row.gain;
    auto& cells = block.grid.rows.emplace_back();
    cells = {{row.backbone}, {level_text(comparison, comparison.in_shares ? row.mean_share : row.mean)}};
    if (gain) {
      cells.push_back(gain_cell(comparison, gain->value, gain->these, gain->holm_these, alpha));
      // Without scores there is no test, but the number itself is known.
      if (!gain->these) cells.back() = {gain_text(comparison, gain->value)};
      cells.push_back({p_text(gain->holm_these)});
      cells.push_back(gain_cell(comparison, gain->value, gain->alike, gain->holm_alike, alpha));
      cells.push_back({p_text(gain->holm_alike)});
      cells.push_back({wins_text(row)});
    } else {
      for (const char* text : {"baseline", "", "", "", ""}) cells.push_back({text});
    }
    cells.push_back({rank_text(row)});
    cells.push_back({percent(row.best_these)});
  }
  return block;
}

// A row a backbone and pair of kinds: its gain on each and their difference.
VerdictBlock kinds_block(const TaskComparison& comparison, double alpha) {
  VerdictBlock block{"Do kinds of tasks differ?",
                     fmt::format("gain over {} on tasks of one kind, less that on the other{}", comparison.baseline,
                                 comparison.probe.empty() ? "" : ", " + comparison.probe),
                     {},
                     {}};
  block.grid.columns = {{"backbone", false, 3},
                        {"kinds (tasks)", false, 2},
                        {"gain", true, 2},
                        {"gain", true, 2},
                        {"difference, these tasks", true, 3},
                        {"p (Holm)", true, 1},
                        {"tasks like these", true, 3},
                        {"p (Holm)", true, 1}};
  for (const KindGain& kind : comparison.kinds)
    block.grid.rows.push_back(
        {{comparison.rows[kind.row].backbone},
         {fmt::format("{} ({}) - {} ({})", kind.kind, kind.tasks, kind.other, kind.other_tasks)},
         {gain_text(comparison, kind.gain)},
         {gain_text(comparison, kind.other_gain)},
         gain_cell(comparison, kind.difference.value, kind.difference.these, kind.difference.holm_these, alpha),
         {p_text(kind.difference.holm_these)},
         gain_cell(comparison, kind.difference.value, kind.difference.alike, kind.difference.holm_alike, alpha),
         {p_text(kind.difference.holm_alike)}});
  return block;
}

// "<= 0.25x" where the smallest sample suffices already: how far below can't be known.
std::string ratio_text(const LabelCurve& curve) {
  if (curve.is_baseline) return "baseline";
  if (!curve.ratio) return "-";
  std::string text = fmt::format("{}{:.2g}x", curve.at_most ? "<= " : "", *curve.ratio);
  if (curve.ratio_interval)
    text += fmt::format(" [{:.2g}, {:.2g}]", curve.ratio_interval->low, curve.ratio_interval->high);
  return text;
}

// Curves with the same samples: those of the mean over tasks where there are such, else every task's.
std::vector<VerdictBlock> label_blocks(const Verdict& verdict) {
  const bool means = std::ranges::any_of(verdict.labels, [](const LabelCurve& curve) { return curve.task.empty(); });
  std::vector<VerdictBlock> blocks;
  std::vector<std::string> keys;
  for (const LabelCurve& curve : verdict.labels) {
    if (means && !curve.task.empty()) continue;
    std::string key = curve.task + "\n" + curve.target + "\n" + curve.metric + "\n" + curve.probe;
    for (const LabelPoint& point : curve.points) key += fmt::format("\n{}", sample_text(point.shots, point.fraction));
    const MetricName metric = metric_name(curve.metric);
    const auto at = static_cast<std::size_t>(std::ranges::find(keys, key) - keys.begin());
    if (at == keys.size()) {
      keys.push_back(key);
      VerdictBlock& block = blocks.emplace_back();
      block.title = fmt::format("Label efficiency{}{}", curve.task.empty() ? "" : ": " + curve.task,
                                curve.probe.empty() ? "" : ", " + curve.probe);
      block.head = fmt::format("{}{} by how much of train is fitted on{}", metric.title, metric.percent ? " in %" : "",
                               curve.task.empty() ? ", mean over tasks" : "");
      block.grid.columns = {{"backbone", false, 3}};
      for (const LabelPoint& point : curve.points)
        block.grid.columns.push_back({sample_text(point.shots, point.fraction), true, 2});
      block.grid.columns.push_back({"labels needed", true, 3});
    }
    auto& cells = blocks[at].grid.rows.emplace_back();
    cells.push_back({curve.backbone});
    for (const LabelPoint& point : curve.points) {
      std::string text = metric_text(metric, point.value, kFewImages);
      if (point.band)
        text += fmt::format(" [{}, {}]", metric_text(metric, point.band->low, kFewImages),
                            metric_text(metric, point.band->high, kFewImages));
      cells.push_back({text});
    }
    cells.push_back({ratio_text(curve)});
  }
  return blocks;
}

}  // namespace

std::string gain_text(const TaskComparison& comparison, double gain) {
  return difference_text(scale_name(comparison), gain, kFewImages);
}

std::vector<VerdictBlock> verdict_blocks(const Verdict& verdict, double alpha) {
  std::vector<VerdictBlock> blocks;
  for (const TaskComparison& comparison : verdict.comparisons) {
    // Samples of train are in the curves below; a table of each would bury them.
    if (!is_of_all(comparison)) continue;
    blocks.push_back(comparison_block(comparison, alpha));
    if (!comparison.kinds.empty()) blocks.push_back(kinds_block(comparison, alpha));
  }
  for (VerdictBlock& block : label_blocks(verdict)) blocks.push_back(std::move(block));
  return blocks;
}

std::vector<std::string> verdict_guide(const Verdict& verdict) {
  std::vector<std::string> guide;
  if (!verdict.comparisons.empty()) {
    guide.push_back(
        "these tasks: other test images (and training runs) of them; tasks like these: other tasks too, which are the "
        "units of a t-test then. Each p is adjusted after Holm over the rows of its table; win/tie/loss as the tasks' "
        "own "
        "tables mark them.");
    guide.push_back(
        "mean rank: 1 is best; it and P(best), the share of resamples in which the mean is the largest, are of these "
        "tasks.");
    if (std::ranges::any_of(verdict.comparisons, &TaskComparison::in_shares))
      guide.push_back(
          "share of the way: from what a constant guess scores (0) to what the truth does (100 %), as tasks' metrics "
          "differ.");
  }
  if (!verdict.labels.empty())
    guide.push_back(
        "labels needed: for what the worse of the two reaches with all of its labels, as a multiple of those that the "
        "baseline needs.");
  return guide;
}

}  // namespace vise::reports
