#include "reports/verdict/comparison.h"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <map>
#include <unordered_map>

#include "reports/metric_names.h"
#include "reports/statistics/holm.h"
#include "reports/statistics/task_contrast.h"
#include "reports/verdict/task_scores.h"

namespace vise::reports {
namespace {

// The weights a_t of sum a_t gain_t; `kinds` as over_tasks() has them.
std::vector<double> weights_of(std::span<const std::uint8_t> kinds, std::size_t tasks) {
  if (kinds.empty()) return std::vector(tasks, 1 / static_cast<double>(tasks));
  double first = 0, second = 0;
  for (const std::uint8_t kind : kinds) first += kind == 1, second += kind == 0;
  std::vector<double> weights;
  // The mean of one kind less the mean of the other, as one weighted sum: the same code then
  // tests a mean and a difference of means.
  for (const std::uint8_t kind : kinds) weights.push_back(kind == 1 ? 1 / first : kind == 0 ? -1 / second : 0);
  return weights;
}

// Fills what holds for other test images and training runs of these very tasks.
void test_these(const Gains& gains, const std::vector<double>& weights, double level, OverTasks& result) {
  const SeedMean sum = sum_over_tasks(gains.parts, weights, gains.covariance);
  const SeedTest test = test_seed_mean(sum, level);
  result.p_these = test.p;
  result.these = test.interval;
  if (!test.interval) return;
  // Half-width and normal quantiles: what a shift must be to fall outside 80 times of 100.
  const boost::math::normal law;
  const double at_level = quantile(law, (1 + level) / 2), half = (test.interval->high - test.interval->low) / 2;
  result.detectable = half * (at_level + quantile(law, 0.8)) / at_level;
}

}  // namespace

Sources sources_of(const ComparisonTable& table, std::span<const SectionEvidence> evidence) {
  Sources sources{table, evidence, {}};
  std::unordered_map<std::string_view, std::vector<std::size_t>> places;
  for (std::size_t s = 0; s < evidence.size(); ++s)
    for (const std::string& id : evidence[s].ids()) {
      std::vector<std::size_t>& of_image = places[id];
      for (const std::size_t other : of_image) sources.sharing.emplace(other, s);
      // By the images' ids: a task and its binary version, or two tasks on one data set,
      // measure the same images.
      of_image.push_back(s);
    }
  return sources;
}

std::vector<double> covariance_of(const Sources& sources, std::span<const std::size_t> sections,
                                  std::span<const SeedMean> parts,
                                  const std::function<std::vector<double>(std::size_t)>& effects_of) {
  const std::size_t tasks = parts.size();
  std::vector<double> matrix(tasks * tasks);
  std::vector<std::vector<double>> effects(tasks);
  const auto kept_effects = [&](std::size_t t) -> const std::vector<double>& {
    if (effects[t].empty()) effects[t] = effects_of(t);
    return effects[t];
  };
  for (std::size_t a = 0; a < tasks; ++a) {
    matrix[a * tasks + a] = variance_of(parts[a]);
    for (std::size_t b = 0; b < a; ++b) {
      const auto [first, second] = std::minmax(sections[a], sections[b]);
      // Tasks without common images have independent errors, given the models.
      if (!sources.sharing.contains({first, second})) continue;
      const double shared = shared_covariance(kept_effects(a), sources.evidence[sections[a]].ids(), kept_effects(b),
                                              sources.evidence[sections[b]].ids());
      // An estimate of few images can't be a larger share of the whole than the parts allow.
      const double most = 0.95 * std::sqrt(matrix[a * tasks + a] * matrix[b * tasks + b]);
      matrix[a * tasks + b] = matrix[b * tasks + a] = std::isnan(shared) ? 0 : std::clamp(shared, -most, most);
    }
  }
  return matrix;
}

SeedMean sum_over_tasks(std::span<const SeedMean> parts, std::span<const double> weights,
                        std::span<const double> covariance) {
  SeedMean sum = weighted_sum(parts, weights);
  const std::size_t tasks = weights.size();
  double apart = 0, all = 0;
  for (std::size_t a = 0; a < tasks; ++a)
    for (std::size_t b = 0; b < tasks; ++b) {
      const double part = weights[a] * weights[b] * covariance[a * tasks + b];
      all += part;
      if (a == b) apart += part;
    }
  // Seeds and drawn splits are a task's own; images alone may be in two tasks.
  const double images = apart - sum.seeds;  // what tasks can share
  if (const double drawn = variance_of(sum) - sum.seeds; images > 0 && drawn > 0 && all != apart) {
    // At least 5 % of the images' variance stays, where a negative estimate of what tasks share would take all.
    const double stretch = std::sqrt(std::max(0.05 * images, images + all - apart) / drawn);
    // Replicates of different tasks were drawn apart. Where the tasks share images their sum's true
    // variance differs, so the replicates are stretched about their value to have it.
    for (double& replicate : sum.replicates) replicate = sum.value + (replicate - sum.value) * stretch;
    sum.together *= stretch * stretch;
  }
  return sum;
}

Gains gains_of(const Sources& sources, const TaskComparison& comparison, std::size_t row, bool in_shares) {
  Gains gains;
  std::vector<double> factors;
  for (std::size_t t = 0; t < comparison.tasks.size(); ++t) {
    const VerdictTask& task = comparison.tasks[t];
    const TableSection& section = sources.table.sections[task.section];
    const std::size_t place = comparison.rows[row].rows[t];
    // Shares of the way from the floor to the ceiling; the factor is a constant of the
    // task, so it scales its error as well.
    factors.push_back(in_shares ? 1 / (*task.ceiling - *task.floor) : 1);
    gains.values.push_back(section.rows[place].difference->value * factors.back());
    const auto gain = gain_of(section, sources.evidence[task.section], place);
    // The parts stop at the first task without scores, so that their number says below whether all have them.
    if (gain && gains.parts.size() == t) gains.parts.push_back(weighted_sum({&*gain, 1}, {&factors.back(), 1}));
  }
  // Without scores of some task nothing can be said about these images, but the test over tasks still can.
  if (gains.parts.size() < comparison.tasks.size()) {
    gains.parts.clear();
    gains.covariance.assign(gains.values.size() * gains.values.size(), 0);
  } else {
    std::vector<std::size_t> sections;
    for (const VerdictTask& task : comparison.tasks) sections.push_back(task.section);
    gains.covariance = covariance_of(sources, sections, gains.parts, [&](std::size_t t) {
      const TableSection& section = sources.table.sections[sections[t]];
      const SectionEvidence& evidence = sources.evidence[sections[t]];
      const std::size_t place = comparison.rows[row].rows[t];
      std::vector<double> effects = influences(section, evidence, place);
      const std::vector<double> theirs = influences(section, evidence, section.rows[place].compared_with);
      for (std::size_t i = 0; i < effects.size(); ++i) effects[i] = factors[t] * (effects[i] - theirs[i]);
      return effects;
    });
  }
  return gains;
}

OverTasks over_tasks(const Gains& gains, std::span<const std::uint8_t> kinds, double level) {
  const std::vector<double> weights = weights_of(kinds, gains.values.size());
  OverTasks result;
  for (std::size_t t = 0; t < weights.size(); ++t) result.value += weights[t] * gains.values[t];
  if (!gains.parts.empty()) test_these(gains, weights, level, result);
  std::vector<double> values, covariance;
  std::vector<std::uint8_t> first;
  for (std::size_t a = 0; a < weights.size(); ++a) {
    // Tasks of a third kind have no part in this contrast.
    if (!kinds.empty() && kinds[a] > 1) continue;
    values.push_back(gains.values[a]);
    if (!kinds.empty()) first.push_back(kinds[a]);
    for (std::size_t b = 0; b < weights.size(); ++b)
      if (kinds.empty() || kinds[b] <= 1) covariance.push_back(gains.covariance[a * weights.size() + b]);
  }
  const TaskContrast test = kinds.empty() ? mean_over_tasks(values, covariance, level)
                                          : difference_of_kinds(values, covariance, first, level);
  result.p_alike = test.p;
  result.alike = test.interval;
  return result;
}

// Two families of tests, one a question: other images of these tasks, and other tasks like them.
void adjust(std::span<OverTasks* const> numbers) {
  std::vector<std::optional<double>> these, alike;
  for (const OverTasks* number : numbers) these.push_back(number->p_these), alike.push_back(number->p_alike);
  these = holm(these), alike = holm(alike);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i]->holm_these = these[i], numbers[i]->holm_alike = alike[i];
}

// Subjective tasks come first and controls last; each kind against each behind it.
void add_kinds(const Sources& sources, TaskComparison& comparison, double level) {
  std::vector<std::string> kinds;
  for (const VerdictTask& task : comparison.tasks)
    if (!task.kind.empty() && std::ranges::count(kinds, task.kind) == 0) kinds.push_back(task.kind);
  std::ranges::sort(kinds, {}, [](const std::string& kind) {
    return std::pair(kind == "subjective" ? 0 : kind == "control" ? 2 : 1, kind);
  });
  std::map<std::size_t, Gains> gains;
  for (std::size_t first = 0; first < kinds.size(); ++first)
    for (std::size_t other = first + 1; other < kinds.size(); ++other) {
      std::vector<std::uint8_t> marks;
      for (const VerdictTask& task : comparison.tasks)
        marks.push_back(task.kind == kinds[first] ? 1 : task.kind == kinds[other] ? 0 : 2);
      const std::size_t before = comparison.kinds.size();
      for (std::size_t r = 0; r < comparison.rows.size(); ++r) {
        if (comparison.rows[r].is_baseline) continue;
        if (!gains.contains(r)) gains[r] = gains_of(sources, comparison, r, comparison.in_shares);
        KindGain& kind = comparison.kinds.emplace_back(KindGain{r, kinds[first], kinds[other], 0, 0, 0, 0, {}});
        for (std::size_t t = 0; t < marks.size(); ++t) {
          if (marks[t] == 1) ++kind.tasks, kind.gain += gains[r].values[t];
          if (marks[t] == 0) ++kind.other_tasks, kind.other_gain += gains[r].values[t];
        }
        kind.gain /= static_cast<double>(kind.tasks);
        kind.other_gain /= static_cast<double>(kind.other_tasks);
        kind.difference = over_tasks(gains[r], marks, level);
      }
      std::vector<OverTasks*> numbers;
      for (std::size_t k = before; k < comparison.kinds.size(); ++k) numbers.push_back(&comparison.kinds[k].difference);
      adjust(numbers);
    }
}

}  // namespace vise::reports
