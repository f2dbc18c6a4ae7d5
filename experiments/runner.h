// From a request to results: tasks x backbones x probes x seeds x subsets, features shared, every cell with its proof.
//
//   RunRequest request; request.tasks = {tasks.find("emotion")}; ...
//   const RunOutcome outcome = run(request, context);
//   outcome.results;                      // one a cell, in the order of the plan
//
// A run is resumable: features come from the store, and cells whose key is in <out>/results.jsonl are not fitted
// again. What fails is contained: a cell that fails is recorded with its reason and the rest continues; so are the
// cells of a backbone whose weights are missing or bad while others can be had, and of a task whose data are missing
// while there are other tasks. Where nothing at all can be measured, the run ends with the reason.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "experiments/result.h"
#include "experiments/run_request.h"

namespace vise::experiments {

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

// By key; empty where the file isn't there.
std::map<std::string, Result> earlier_results(const Path& results_jsonl);

}  // namespace vise::experiments
