#include "reports/verdict/task_scores.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>

#include "base/random.h"
#include "probes/evaluate.h"
#include "reports/metric_names.h"

namespace vise::reports {
namespace {

// Three things: gain_of() with its error, resampled_scores() for ranks and curves, range_of() for shares of the way
// from floor to ceiling; influences() and shared_covariance() say what tasks on the same images share.

double mean_of_values(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// With ddof 1.
double variance_of(std::span<const double> values) {
  const double mean = mean_of_values(values);
  double sum = 0;
  for (const double v : values) sum += (v - mean) * (v - mean);
  return sum / static_cast<double>(values.size() - 1);
}

// Several drawn splits: the corrected variance (statistics/corrected_t.h) takes the place of the seeds'.
SeedMean gain_over_draws(const RowEvidence& mine, const RowEvidence& theirs, double test_to_train) {
  std::vector<double> gains = mine.draws;
  for (std::size_t s = 0; s < gains.size(); ++s) gains[s] -= theirs.draws[s];
  const double count = static_cast<double>(gains.size());
  SeedMean gain;
  gain.value = mean_of_values(gains);
  // Two equal replicates: the images' part is inside the draws' variance already.
  gain.replicates.assign(2, gain.value);
  gain.seeds = (1 / count + test_to_train) * variance_of(gains);
  gain.df = count - 1;
  return gain;
}

// Means of k of `values` drawn with replacement, about their mean, times `stretch`; the same draws for every row.
std::vector<double> resampled_deviations(const std::vector<double>& values, double stretch, const std::string& stream,
                                         std::size_t resamples) {
  RandomStream random(stream, 0);
  // Deviations from the mean, so that they can be added to resamples of the images, which have the mean in them
  // already.
  const double mean = mean_of_values(values), count = static_cast<double>(values.size());
  std::vector<double> deviations(resamples);
  for (double& deviation : deviations) {
    for (std::size_t j = 0; j < values.size(); ++j)
      deviation += values[static_cast<std::size_t>(random.uniform() * count)] - mean;
    deviation *= stretch / count;
  }
  return deviations;
}

// Scores of a guess that never looks at an image, the same for every item: logarithms of the class frequencies or mean
// votes, or the mean value.
probes::Scores constant_scores(const datasets::Targets& targets) {
  const std::size_t width = targets.width();
  probes::Scores scores{targets.size(), width, {}};
  std::vector<double> row(width);
  double known = 0;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (!targets.known(i)) continue;
    ++known;
    if (targets.kind() == datasets::TargetKind::classes) {
      ++row[static_cast<std::size_t>(targets.classes()[i])];
      continue;
    }
    const auto cells = targets.rows().subspan(i * width, width);
    const double sum =
        targets.kind() == datasets::TargetKind::values ? 1 : std::accumulate(cells.begin(), cells.end(), 0.0);
    for (std::size_t k = 0; k < width; ++k) row[k] += cells[k] / sum;
  }
  for (double& v : row) {
    v /= known;
    if (targets.kind() != datasets::TargetKind::values) v = std::log(std::max(v, 1e-12));
  }
  for (std::size_t i = 0; i < targets.size(); ++i) scores.values.insert(scores.values.end(), row.begin(), row.end());
  return scores;
}

// Scores of a model that knows the truth: what the metric gives for them is its ceiling, below 1 where votes
// disagree.
probes::Scores true_scores(const datasets::Targets& targets) {
  const std::size_t width = targets.width();
  probes::Scores scores{targets.size(), width, std::vector<double>(targets.size() * width)};
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (!targets.known(i)) continue;
    if (targets.kind() == datasets::TargetKind::classes) {
      // A logit so large that its softmax is exactly 1.
      scores.values[i * width + static_cast<std::size_t>(targets.classes()[i])] = 1000;
      continue;
    }
    const auto cells = targets.rows().subspan(i * width, width);
    const double sum = std::accumulate(cells.begin(), cells.end(), 0.0);
    for (std::size_t k = 0; k < width; ++k)
      scores.values[i * width + k] =
          targets.kind() == datasets::TargetKind::values ? cells[k] : std::log(std::max(cells[k] / sum, 1e-300));
  }
  return scores;
}

std::optional<double> metric_of(const probes::Scores& scores, const datasets::Targets& targets,
                                const std::string& metric) {
  const probes::Metrics metrics = probes::evaluate(scores, targets);
  const auto found = metrics.find(metric);
  return found == metrics.end() ? std::nullopt : found->second;
}

// Of a constant guess a correlation is 0/0 and counts as 0, which kappa is by its definition.
bool is_correlation(std::string_view metric) {
  return metric == "pearson" || metric == "spearman" || metric == "ccc" || metric == "kappa";
}

}  // namespace

std::optional<SeedMean> gain_of(const TableSection& section, const SectionEvidence& evidence, std::size_t row) {
  const TableRow& of = section.rows[row];
  if (!of.difference) return {};
  const RowEvidence &mine = evidence.rows()[row], &theirs = evidence.rows()[of.compared_with];
  std::optional<SeedMean> gain;
  if (!mine.draws.empty() && mine.draws.size() == theirs.draws.size() && mine.draws.size() > 1) {
    gain = gain_over_draws(mine, theirs, evidence.test_to_train());
  } else if (!mine.primary.empty() && mine.primary.size() == theirs.primary.size() &&
             !mine.primary.front().replicates.front().empty()) {
    std::vector<SeedMean> folds;
    for (std::size_t f = 0; f < mine.primary.size(); ++f)
      folds.push_back(seed_difference(mine.primary[f], theirs.primary[f]));
    gain = mean_of(folds);
  }
  if (gain) gain->value = of.difference->value;  // the table's own, also where scores cover fewer images
  return gain;
}

// Drawn splits have no image resamples of their own: their values are drawn instead, with the corrected variance.
std::vector<double> resampled_scores(const TableSection& section, const SectionEvidence& evidence, std::size_t row,
                                     std::size_t resamples) {
  const RowEvidence& of = evidence.rows()[row];
  const std::string stream = fmt::format("reports/verdict/{}/{}", section.task, section.split_hash);
  if (of.draws.size() > 1) {
    const double count = static_cast<double>(of.draws.size());
    // A bootstrap of n values has (n - 1)/n of their variance over n; the factor makes
    // it the corrected variance.
    const double stretch = std::sqrt((1 / count + evidence.test_to_train()) * count * count / (count - 1));
    std::vector<double> scores = resampled_deviations(of.draws, stretch, stream, resamples);
    for (double& score : scores) score += mean_of_values(of.draws);
    return scores;
  }
  if (of.primary.empty() || of.primary.front().replicates.front().size() < resamples) return {};
  std::vector<double> scores(resamples);
  for (std::size_t f = 0; f < of.primary.size(); ++f) {
    const ResampledSeeds& fold = of.primary[f];
    const std::size_t seeds = fold.values.size();
    std::vector<double> values(resamples);
    if (seeds > 1)
      values = resampled_deviations(fold.values, std::sqrt(static_cast<double>(seeds) / static_cast<double>(seeds - 1)),
                                    fmt::format("{}/{}", stream, f), resamples);
    for (std::size_t r = 0; r < resamples; ++r) {
      for (const std::vector<double>& replicates : fold.replicates)
        values[r] += replicates[r] / static_cast<double>(seeds);
      scores[r] += values[r] / static_cast<double>(of.primary.size());
    }
  }
  return scores;
}

// Multi-label targets have no floor: a constant guess depends on the threshold, which each probe chooses itself.
std::optional<MetricRange> range_of(const std::string& metric, const datasets::Targets& targets) {
  if (targets.size() == 0 || targets.kind() == datasets::TargetKind::multi_label) return {};
  const auto floor = metric_of(constant_scores(targets), targets, metric),
             ceiling = metric_of(true_scores(targets), targets, metric);
  if (!ceiling || (!floor && !is_correlation(metric))) return {};
  const MetricRange range{floor.value_or(0), *ceiling};
  if (!std::isfinite(range.floor) || !std::isfinite(range.ceiling) || std::fabs(range.ceiling - range.floor) < 1e-9)
    return {};
  return range;
}

std::vector<double> influences(const TableSection& section, const SectionEvidence& evidence, std::size_t row) {
  const std::vector<SeedEvidence>& seeds = evidence.rows()[row].seeds;
  const std::size_t items = evidence.ids().size();
  const std::string_view metric = section.primary_metric;
  std::vector<double> effects(items);
  std::vector<std::uint16_t> counts(items * probes::kLanes);
  std::vector<double> values(probes::kLanes);
  for (const SeedEvidence& seed : seeds)
    for (std::size_t first = 0; first < items; first += probes::kLanes) {
      const std::size_t lanes = std::min(probes::kLanes, items - first);
      std::ranges::fill(counts, std::uint16_t{1});
      // The jackknife, kLanes images at a time: lane k leaves image first + k out.
      for (std::size_t lane = 0; lane < lanes; ++lane) counts[(first + lane) * probes::kLanes + lane] = 0;
      seed.metrics.evaluate({&metric, 1}, counts, values);
      for (std::size_t lane = 0; lane < lanes; ++lane)
        effects[first + lane] -= values[lane] / static_cast<double>(seeds.size());
    }
  std::unordered_map<int, std::pair<double, double>> of_class;  // sum, count
  for (std::size_t i = 0; i < items; ++i) {
    effects[i] *= static_cast<double>(items - 1) / static_cast<double>(items);
    auto& [sum, count] = of_class[evidence.strata()[i]];
    sum += effects[i], ++count;
  }
  for (std::size_t i = 0; i < items; ++i) {
    const auto& [sum, count] = of_class[evidence.strata()[i]];
    // Less their class's mean: resamples are drawn within classes, so what a class has
    // in common doesn't vary.
    effects[i] -= sum / count;
  }
  return effects;
}

// Influences have the mean 0 within a class, so their products need no centring.
double shared_covariance(const std::vector<double>& a, const std::vector<std::string>& a_ids,
                         const std::vector<double>& b, const std::vector<std::string>& b_ids) {
  std::unordered_map<std::string_view, double> effects;
  for (std::size_t i = 0; i < a.size(); ++i) effects.emplace(a_ids[i], a[i]);
  double sum = 0;
  for (std::size_t i = 0; i < b.size(); ++i)
    if (const auto found = effects.find(b_ids[i]); found != effects.end()) sum += found->second * b[i];
  return sum;
}

}  // namespace vise::reports
