#include "reports/seed_evidence.h"

#include <algorithm>
#include <cmath>

namespace vise {
namespace {

// The softmax probability of the highest score; of a single score, the logistic one.
double confidence(std::span<const double> row) {
  if (row.size() == 1) return 1 / (1 + std::exp(-std::fabs(row[0])));
  const double top = *std::ranges::max_element(row);
  double sum = 0;
  for (const double v : row) sum += std::exp(v - top);
  return 1 / sum;
}

bool counts_predictions(std::string_view metric) { return ClassPredictions::knows(metric); }

}  // namespace

SeedEvidence seed_evidence(const SavedScores& saved, const Result& result) {
  SeedEvidence seed;
  if (saved.targets.kind() != TargetKind::classes) {
    seed.soft.emplace(saved.scores, saved.targets, result.calibration);
    return seed;
  }
  const Scores& scores = saved.scores;
  seed.predictions.emplace(saved.targets.classes(), scores.values, saved.targets.width());
  seed.scored.emplace(scores, saved.targets, result.calibration);
  for (std::size_t i = 0; i < scores.rows; ++i)
    seed.confidence.push_back(confidence(std::span(scores.values).subspan(i * scores.columns, scores.columns)));
  if (saved.targets.width() != 2) return seed;
  for (std::size_t i = 0; i < scores.rows; ++i)
    seed.positive.push_back(scores.columns == 1 ? scores.values[i] : scores(i, 1) - scores(i, 0));
  return seed;
}

void SeedEvidence::evaluate_lanes(std::span<const std::string_view> metrics, std::span<const std::uint16_t> counts,
                                  std::span<double> values) const {
  if (soft) return soft->evaluate_lanes(metrics, counts, values);
  const auto counted =
      static_cast<std::size_t>(std::ranges::find_if_not(metrics, counts_predictions) - metrics.begin());
  predictions->evaluate_lanes(metrics.first(counted), counts, values.first(counted * kLanes));
  scored->evaluate_lanes(metrics.subspan(counted), counts, values.subspan(counted * kLanes));
}

std::vector<std::string> resampling_order(TargetKind kind, std::span<const std::string> metrics) {
  std::vector<std::string> known;
  const bool classes = kind == TargetKind::classes;
  for (const std::string& name : metrics)
    if (classes ? counts_predictions(name) || ScoredClasses::knows(name) : SoftPredictions::knows(kind, name))
      known.push_back(name);
  if (classes) std::ranges::stable_partition(known, counts_predictions);
  return known;
}

}  // namespace vise
