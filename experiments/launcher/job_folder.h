// The folder of a run's jobs, <out>/jobs: where each file is, and what was submitted. Format: docs/formats/jobs.md.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "experiments/run_request.h"
#include "extract/features/shard.h"

namespace vise::experiments {

// A value: paths only. Nothing is made or read by it.
class JobFolder {
 public:
  explicit JobFolder(const Path& out);  // the run's folder; made absolute

  const Path& out() const { return out_; }
  const Path& path() const { return path_; }
  Path plan() const { return path_ / "plan.yaml"; }
  Path extract_script() const { return path_ / "extract.sh"; }
  Path finish_script() const { return path_ / "finish.sh"; }
  Path launch_record() const { return path_ / "launch.json"; }
  Path lock() const { return path_ / "lock"; }
  Path logs() const { return path_ / "logs"; }
  Path finished() const { return path_ / "finished"; }  // the exit code of the last job, once it ended by itself
  Path store(const features::Shard& shard) const;       // a cache of the shard's own

  // Of this run and no other: jobs are found by their names, so that none is forgotten that was submitted a moment
  // before a crash.
  std::string extract_name() const;
  std::string finish_name() const;

 private:
  Path out_, path_;
};

struct Submission {
  std::string job;                  // Slurm's number
  std::vector<std::size_t> shards;  // of an array; empty: the job of probes and tables
  std::int64_t at = 0;              // seconds since 1970
};

// launch.json
struct LaunchRecord {
  std::size_t shards = 0;
  std::string plan;  // SHA-256 of plan.yaml
  std::vector<Submission> submissions;
};

// Nothing where there is no such file; Error{input} for one that isn't ours.
std::optional<LaunchRecord> read_launch_record(const JobFolder& folder);
void write_launch_record(const JobFolder& folder, const LaunchRecord& record);

}  // namespace vise::experiments
