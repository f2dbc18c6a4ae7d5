// How far a launched run is: every shard, the last job, and when extraction will be over; read from the shards' own
// files and Slurm's queue. Reads, and changes nothing.
//
//   const RunStatus status = run_status(out, log);
//   status.is_over(); status.seconds_left;
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "experiments/launcher/job_folder.h"

namespace vise::experiments {

enum class JobState {
  waiting,  // in the queue, or not submitted yet
  running,
  done,
  failed  // it ended before its work was done, or can never start: the same command submits it again
};

std::string_view job_state_name(JobState state);

struct JobStatus {
  JobState state = JobState::waiting;
  std::string job;     // Slurm's number; empty: none is known
  std::string reason;  // in Slurm's words, or ours
  Path log;            // where its job writes; empty without one
};

struct ShardStatus {
  std::size_t number = 0;
  JobStatus job;
  std::size_t rows = 0, of = 0;  // kept, and to be kept; 0 of 0 before its first start
  bool merged = false;
};

struct RunStatus {
  std::vector<ShardStatus> shards;
  JobStatus finish;
  std::optional<int> exit_code;        // of the last job, once it ended by itself: 0, or 1 where some cells failed
  bool slurm_answers = true;           // false: states are from the files alone
  std::optional<double> seconds_left;  // of extraction, where shards run and their rate is known

  std::size_t count(JobState state) const;  // of shards
  std::size_t rows() const;
  std::size_t of() const;
  // Nothing runs or waits any more.
  bool is_over() const;
};

// Error{missing} for a folder without jobs.
RunStatus run_status(const Path& out);

}  // namespace vise::experiments
