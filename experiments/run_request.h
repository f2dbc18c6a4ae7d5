// What a run is asked for: tasks x backbones x probes x seeds x subsets of train.
//
//   RunRequest request; request.tasks = {tasks.find("emotion")}; ...
//   request = resolved(request);          // nothing left to defaults
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "experiments/task.h"
#include "extract/features/feature_request.h"

namespace vise::experiments {

enum class Overwrite {
  missing,  // cells whose key is not in results.jsonl, and failed ones
  always,   // every cell
  never     // only cells that were never tried
};

// How much of train is fitted on: so many images of each class, or a share. A subset is all that a cell may learn from:
// val is left out, and hyper-parameters are chosen by cross-validation inside the subset (with one image of some class
// nothing is chosen).
struct TrainSubset {
  int shots = 0;        // 0: no limit
  double fraction = 1;  // of train, within each class

  bool is_all() const { return shots == 0 && fraction == 1; }
  auto operator<=>(const TrainSubset&) const = default;
};

// "4" -> 4 shots, "all" -> all of train; "0.1" -> a tenth. Error{usage} for anything else.
TrainSubset parse_shots(const std::string& text);
TrainSubset parse_fraction(const std::string& text);

struct RunRequest {
  std::vector<Task> tasks;
  std::vector<Path> include_paths;  // where tasks were looked for, for plan.yaml
  std::vector<Path> data_roots;
  std::vector<std::string> backbones;  // as on the command line; empty: each task's own
  std::vector<int> sides;              // input sizes: each backbone is a row a side; empty: its transform's own
  std::string baseline;                // as one of `backbones`; empty: the task's, else the first
  std::vector<std::string> probes;     // "logreg", "liblinear,solver=1"; empty: the task's
  int seeds = 1;
  std::vector<TrainSubset> subsets = {TrainSubset{}};
  std::optional<networks::Engine> engine = {};  // none: the device's own
  networks::Precision precision = networks::Precision::fp32;
  networks::Device device = {};
  std::vector<features::FeatureTap> taps = {features::FeatureTap{}};
  images::Views views = images::Views::one;
  features::Storage storage = features::Storage::fp32;
  features::ExtractOptions extract;
  Path out;             // results.jsonl, plan.yaml, scores/, splits/
  Path keeps_draws_of;  // a run's folder whose earlier draws are kept (earlier_draws.h); run() sets `out`
  Overwrite overwrite = Overwrite::missing;
};

// The request with every default filled in: each task has its own rows (the baseline among them), baseline and probes,
// and the lists of texts for all tasks are empty. Error{usage} for unknown names, naming the nearest, for a backbone
// named twice and for a task named twice.
RunRequest resolved(RunRequest request);

}  // namespace vise::experiments
