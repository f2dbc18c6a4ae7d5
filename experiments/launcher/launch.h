// A run on a cluster: its scripts written, and submitted as far as they are needed.
//
//   const Launched launched = launch({.run = request, .shards = 16, .program = own_executable()}, context);
//   launched.extract_job; launched.finish_job;
//
// What is needed is read from the store, the shards' own records and Slurm's queue, so the same call again submits what
// failed or was never submitted, and nothing that is done, queued or running. Two callers wait for each other's lock.
#pragma once

#include <string>
#include <vector>

#include "experiments/launcher/job_scripts.h"
#include "experiments/look_ahead.h"

namespace vise::experiments {

struct Launched {
  std::vector<std::size_t> done, alive, submitted;  // shards; a merged one is done. None where every row was known
  std::vector<std::size_t> damaged;                 // of the submitted: the merge had found blocks that were not sound
  std::string extract_job;                          // of the submitted shards; empty: none
  std::string finish_job;                           // submitted now, or queued before; empty: nothing is left to do
  bool finish_is_new = false;
  std::vector<std::string> failing;  // why cells will fail: weights or data that can't be had
};

// Weights that are to be fetched are fetched here, once: compute nodes often have no network. Error{missing} without
// Slurm's commands, or where nothing can be measured; Error{usage} while jobs of another plan, or of another number of
// shards, are in the same folder; Error{input} in sbatch's words.
Launched launch(const LaunchRequest& request, const Context& context);

// What launch() would write, for --dry-run: nothing is written or submitted, and Slurm need not be here.
struct LaunchPreview {
  std::string extract_script, finish_script;
};
LaunchPreview preview_launch(const LaunchRequest& request);

}  // namespace vise::experiments
