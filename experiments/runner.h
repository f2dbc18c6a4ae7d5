// From a request to results: tasks x backbones x probes x seeds x samples, features shared, every cell with its proof.
//
//   RunRequest request; request.tasks = {tasks.find("emotion")}; ...
//   const RunOutcome outcome = run(request, context);
//   outcome.results;                      // one a cell, in the order of the plan
//
// A run is resumable: features come from the store, and cells whose key stands in <out>/results.jsonl are not fitted
// again. What fails is contained: a cell that fails is recorded with its reason and the rest goes on; so are the cells
// of a backbone whose weights are missing or bad while others can be had, and of a task whose data are missing while
// there are other tasks. Where nothing at all can be measured, the run ends with the reason.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "experiments/result.h"
#include "experiments/task.h"
#include "extract/features/features.h"

namespace vise {

enum class Overwrite {
  missing,  // cells whose key is not in results.jsonl, and failed ones
  always,   // every cell
  never     // only cells that were never tried
};

// How much of train is fitted on: so many images of each class, or a share. A sample is all that a cell may learn from:
// val is left out, and hyper-parameters are chosen by cross-validation inside the sample (with one image of some class
// nothing is chosen).
struct Sample {
  int shots = 0;        // 0: no limit
  double fraction = 1;  // of train, within each class

  bool is_all() const { return shots == 0 && fraction == 1; }
  auto operator<=>(const Sample&) const = default;
};

struct RunRequest {
  std::vector<Task> tasks;
  std::vector<Path> include_paths;  // where tasks were looked for, for plan.yaml
  std::vector<Path> data_roots;
  std::vector<std::string> backbones;  // as on the command line; empty: each task's own
  std::vector<int> sides;              // input sizes: each backbone is a row a side; empty: its transform's own
  std::string baseline;                // as one of `backbones`; empty: the task's, else the first
  std::vector<std::string> probes;     // "logreg", "liblinear,solver=1"; empty: the task's
  int seeds = 1;
  std::vector<Sample> samples = {Sample{}};
  std::optional<Engine> engine = {};  // none: the device's own
  Precision precision = Precision::fp32;
  Device device = {};
  std::vector<FeatureTap> taps = {FeatureTap{}};
  Views views = Views::one;
  Storage storage = Storage::fp32;
  ExtractOptions extract;
  Path out;             // results.jsonl, plan.yaml, scores/, splits/
  Path keeps_draws_of;  // a run's folder whose earlier draws are kept (earlier_draws.h); run() sets `out`
  Overwrite overwrite = Overwrite::missing;
};

// The request with every default filled in: each task has its own backbones (the baseline among them), baseline and
// probes, and the lists for all tasks are empty. Error{usage} for unknown names, naming the nearest, for a backbone
// named twice and for a task named twice.
RunRequest resolved(RunRequest request);

struct RunOutcome {
  std::vector<Result> results;                   // one a cell of the plan, in its order, old and new
  std::vector<Task> tasks;                       // as they ran: with the names of their data
  std::map<std::string, std::string> baselines;  // by task: the backbone that rows are compared with
  std::map<std::string, std::string> kinds;      // of tasks that have one
  std::size_t fitted = 0, reused = 0, failed = 0;
};

// Error{missing|usage|input} where nothing can be measured; Error{interrupted} after a stop, with everything finished
// kept. Writes <out>/plan.yaml first (study.h): running that file again gives the same cells.
RunOutcome run(const RunRequest& request, const Context& context);

// "logreg,C=1" -> name and options. Error{usage} naming what is wrong.
std::pair<std::string, ProbeOptions> parse_probe(const std::string& text);

// The task that --data PATH stands for. Its name is empty: a run takes the data set's; so with an empty target. Split:
// official, or stratified 60/20/20.
Task task_for_data(const Path& path, const std::string& target, const DataColumns& columns = {});

// By key; empty where the file isn't there.
std::map<std::string, Result> earlier_results(const Path& results_jsonl);

}  // namespace vise
