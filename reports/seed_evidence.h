// What one model's saved scores say on the items of a table's section: its predictions, its confidence, and every
// metric for resamples of the items.
#pragma once

#include <optional>
#include <vector>

#include "experiments/scores_file.h"
#include "probes/metrics/weighted.h"

namespace vise::reports {

struct ClassPredictions {
  std::vector<int> truth, predicted;
  std::size_t size() const { return truth.size(); }
};

struct SeedEvidence {
  probes::WeightedMetrics metrics;
  std::optional<ClassPredictions> predictions;  // of classes
  std::vector<double> positive;                 // two classes: the score of the second against the first
  std::vector<double> confidence;               // classes: the predicted class's softmax probability
};

// `saved` is in the section's order of items.
SeedEvidence seed_evidence(const experiments::SavedScores& saved, const experiments::Result& result);

}  // namespace vise::reports
