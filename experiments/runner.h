// From a request to results: tasks x backbones x probes x seeds, features shared, every cell with its proof.
//
//   RunRequest request; request.tasks = {tasks.find("emotion")}; ...
//   const RunOutcome outcome = run(request, context);
//   outcome.results;                      // one a cell, in the order of the plan
//
// A run is resumable: features come from the store, and cells whose key stands in <out>/results.jsonl are not fitted
// again. A cell that fails is recorded with its reason and the rest goes on; what is missing before the first cell
// (data, weights) ends the run.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "experiments/result.h"
#include "experiments/task.h"
#include "extract/features.h"

namespace vise {

enum class Overwrite {
  missing,  // cells whose key is not in results.jsonl, and failed ones
  always,   // every cell
  never     // only cells that were never tried
};

struct RunRequest {
  std::vector<Task> tasks;  // one with an empty `dataset` reads `data`
  Path data;                // --data PATH
  std::vector<Path> data_roots;
  std::vector<std::string> backbones;  // as on the command line; empty: each task's own
  std::string baseline;                // a backbone's name; empty: the task's, else the first
  std::vector<std::string> probes;     // "logreg", "liblinear,solver=1"; empty: the task's
  int seeds = 1;
  Engine engine = Engine::onednn;
  Precision precision = Precision::fp32;
  std::vector<FeatureTap> taps = {FeatureTap{}};
  ExtractOptions extract;
  Path out;  // results.jsonl, scores/, splits/
  Overwrite overwrite = Overwrite::missing;
};

struct RunOutcome {
  std::vector<Result> results;         // one a cell of the plan, in its order, old and new
  std::vector<std::string> baselines;  // by task: the backbone that rows are compared with
  std::size_t fitted = 0, reused = 0, failed = 0;
};

// Error{missing|usage|input} before anything is fitted; Error{interrupted} after a stop, with everything finished kept.
RunOutcome run(const RunRequest& request, const Context& context);

// "logreg,C=1" -> name and options. Error{usage} naming what is wrong.
std::pair<std::string, ProbeOptions> parse_probe(const std::string& text);

// The task that --data PATH stands for: its name is the data set's, its split official or stratified 60/20/20.
Task task_for_data(const Path& path, const std::string& target);

}  // namespace vise
