// The two scripts that a run on a cluster is: an array job that extracts a shard each, and a job that merges the
// shards, fits the probes and writes the tables. Plain text, to be read, changed and submitted by hand.
#pragma once

#include <string>

#include "experiments/launcher/job_folder.h"
#include "experiments/launcher/slurm.h"

namespace vise::experiments {

struct LaunchRequest {
  RunRequest run;
  std::size_t shards = 1;
  SlurmOptions slurm;   // of both jobs
  std::string program;  // this one's executable, where every node finds it
  int threads = 0;      // of a job; 0: as many as Slurm gives it
  bool clean = false;   // run --clean
};

std::string extract_script(const LaunchRequest& request, const JobFolder& folder);
// `merges`: false where every row was known before, and there are no shards.
std::string finish_script(const LaunchRequest& request, const JobFolder& folder, bool merges);

}  // namespace vise::experiments
