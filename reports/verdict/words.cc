// The sentences of a comparison over tasks.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "reports/statistics/wilcoxon.h"
#include "reports/verdict/comparison.h"
#include "reports/verdict/verdict_grid.h"

namespace vise::reports {
namespace {

// Nothing where there was no test; the words around it then say so.
std::string p_text(std::optional<double> p) {
  if (!p) return "";
  return *p < 0.001 ? ", p < 0.001" : fmt::format(", p = {:.3f}", *p);
}

std::string with_interval(const TaskComparison& comparison, double value, const std::optional<Interval>& interval) {
  return gain_text(comparison, value) + (interval ? fmt::format(" [{}, {}]", gain_text(comparison, interval->low),
                                                                gain_text(comparison, interval->high))
                                                  : "");
}

// "not shown" isn't "no difference": the test found no evidence at this alpha.
std::string judged(std::optional<double> p, double alpha) {
  return !p ? " (not tested)" : *p < alpha ? "" : ": not shown";
}

// Of two that rank alike the one that gains more.
const VerdictRow* leader(const TaskComparison& comparison) {
  const auto gain = [&](const VerdictRow& row) {
    return comparison.in_shares ? row.gain_share->value : row.gain->value;
  };
  const VerdictRow* best = nullptr;
  for (const VerdictRow& row : comparison.rows)
    if (!row.is_baseline &&
        (!best || row.mean_rank < best->mean_rank || (row.mean_rank == best->mean_rank && gain(row) > gain(*best))))
      best = &row;
  return best;
}

// The first sentence: who leads, by how much over these tasks, and whether that holds for tasks like them.
std::string answer(const ComparisonTable& table, const TaskComparison& comparison, const VerdictRow& row) {
  const OverTasks& gain = comparison.in_shares ? *row.gain_share : *row.gain;
  return fmt::format(
      "{} ranks best of those compared with {}: {} over these {} tasks (Holm{}{}); over tasks like these {} "
      "(Holm{}{}).",
      row.backbone, comparison.baseline, with_interval(comparison, gain.value, gain.these), comparison.tasks.size(),
      p_text(gain.holm_these), judged(gain.holm_these, table.alpha), with_interval(comparison, gain.value, gain.alike),
      p_text(gain.holm_alike), judged(gain.holm_alike, table.alpha));
}

// Whether the leader gains more on one kind of tasks than on another.
std::string claim(const ComparisonTable& table, const TaskComparison& comparison, const KindGain& kind) {
  const OverTasks& d = kind.difference;
  return fmt::format(
      "{} gains {} {} over {} on {} ({} tasks) than on {} tasks ({}): of these tasks (Holm{}{}); of tasks like these "
      "{} "
      "(Holm{}{}).",
      comparison.rows[kind.row].backbone, with_interval(comparison, d.value, d.these), "more", comparison.baseline,
      kind.kind, kind.tasks, kind.other, kind.other_tasks, p_text(d.holm_these), judged(d.holm_these, table.alpha),
      d.alike ? with_interval(comparison, d.value, d.alike) : "nothing can be said", p_text(d.holm_alike),
      judged(d.holm_alike, table.alpha));
}

// What Wilcoxon's test can at best say over so few tasks, adjusted over so many tests.
std::string smallest_p(const TaskComparison& comparison, double alpha) {
  // Holm multiplies the smallest p by the number of tests, so alpha must be reached by that product.
  const double tests = static_cast<double>(
      std::ranges::count_if(comparison.rows, [](const VerdictRow& row) { return !row.is_baseline; }));
  std::size_t needed = 1;
  while (smallest_wilcoxon_p(needed) * tests >= alpha) ++needed;
  const std::size_t tasks = comparison.tasks.size();
  if (tasks >= needed) return "";
  return fmt::format(
      "Ranks over {} tasks can't show that a backbone differs: if it won on all of them, Wilcoxon's p would be "
      "{:.3g}{}; "
      "{} tasks could. The intervals above can, and say how sure they are.",
      tasks, smallest_wilcoxon_p(tasks),
      tests > 1 ? fmt::format(", {:.3g} after Holm", std::min(1.0, tests * smallest_wilcoxon_p(tasks))) : "", needed);
}

// The tests of ranks in one line, as papers print them.
std::string ranks(const TaskComparison& comparison) {
  if (!comparison.critical_difference) return "";
  std::string text;
  if (comparison.friedman.chi2)
    text = fmt::format("Friedman: chi2 {:.2f}{}", *comparison.friedman.chi2, p_text(comparison.friedman.p));
  if (comparison.friedman.f)
    text += fmt::format("; Iman and Davenport: F {:.2f}{}", *comparison.friedman.f, p_text(comparison.friedman.p_f));
  if (!text.empty()) text += "; ";
  return text + fmt::format("mean ranks {:.2f} apart differ (Nemenyi's critical difference).",
                            *comparison.critical_difference);
}

}  // namespace

void add_sentences(const ComparisonTable& table, TaskComparison& comparison, std::vector<std::string> left_out) {
  const auto say = [&](std::string sentence) {
    if (!sentence.empty()) comparison.says.push_back(std::move(sentence));
  };
  if (const VerdictRow* best = leader(comparison)) say(answer(table, comparison, *best));
  for (const KindGain& kind : comparison.kinds)
    if (&comparison.rows[kind.row] == leader(comparison)) say(claim(table, comparison, kind));
  say(ranks(comparison));
  say(smallest_p(comparison, table.alpha));
  for (std::string& sentence : left_out) say(std::move(sentence));
}

}  // namespace vise::reports
