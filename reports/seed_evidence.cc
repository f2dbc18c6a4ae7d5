#include "reports/seed_evidence.h"

#include <algorithm>
#include <cmath>

namespace vise::reports {
namespace {

// The softmax probability of the highest score; of a single score, the logistic one.
double confidence(std::span<const double> row) {
  if (row.size() == 1) return 1 / (1 + std::exp(-std::fabs(row[0])));
  const double top = *std::ranges::max_element(row);
  double sum = 0;
  // The largest term is exp(0) = 1, so nothing overflows and 1 / sum is its probability.
  for (const double v : row) sum += std::exp(v - top);
  return 1 / sum;
}

// Ties go to the lowest class; one score is the second class's against the first.
int predicted_class(std::span<const double> row) {
  if (row.size() == 1) return row[0] > 0 ? 1 : 0;
  return static_cast<int>(std::ranges::max_element(row) - row.begin());
}

}  // namespace

// Predictions, confidence and positives exist for classes alone; other targets have their metrics only.
SeedEvidence seed_evidence(const experiments::SavedScores& saved, const experiments::Result& result) {
  const probes::Scores& scores = saved.scores;
  SeedEvidence seed{probes::WeightedMetrics(scores, saved.targets, result.calibration), {}, {}, {}};
  if (saved.targets.kind() != datasets::TargetKind::classes) return seed;
  const auto truth = saved.targets.classes();
  seed.predictions.emplace(ClassPredictions{{truth.begin(), truth.end()}, {}});
  for (std::size_t i = 0; i < scores.rows; ++i) {
    const auto row = std::span(scores.values).subspan(i * scores.columns, scores.columns);
    seed.predictions->predicted.push_back(predicted_class(row));
    seed.confidence.push_back(confidence(row));
    if (saved.targets.width() == 2) seed.positive.push_back(row.size() == 1 ? row[0] : row[1] - row[0]);
  }
  return seed;
}

}  // namespace vise::reports
