// The saved test scores of a result: written once, read by whoever recomputes a metric. Format: docs/formats/scores.md.
//
//   const std::string file = write_scores(out, key, {ids, targets, scores}); // "scores/<key>.test.npy"
//   const SavedScores saved = read_scores(out, result);
//   evaluate(saved.scores, saved.targets, result.calibration);                  // the result's metrics again
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "experiments/result.h"

namespace vise::experiments {

// Row i: item ids[i], its true target i and its scores.
struct SavedScores {
  std::vector<std::string> ids;
  datasets::Targets targets;
  probes::Scores scores;
  std::optional<datasets::Targets> votes = {};  // annotators' votes for the same classes, where the data have them
};

// Writes both files below `run_folder`, each atomically, and returns the .npy's path relative to it.
std::string write_scores(const Path& run_folder, const std::string& key, const SavedScores& saved);

// Error{missing} when a file isn't there; Error{input} with file and line for a target that doesn't fit the result's
// kind and classes, an id given twice, scores that aren't finite, or a count of rows or columns that doesn't fit.
SavedScores read_scores(const Path& run_folder, const Result& result);

}  // namespace vise::experiments
