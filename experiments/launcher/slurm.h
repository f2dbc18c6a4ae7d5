// Slurm as its own commands have it: sbatch, squeue, scancel, and sacct where the cluster keeps accounts. Nothing else
// is asked and no protocol is spoken; slurmdbd isn't needed.
//
//   const std::string job = submit_job(script, {"--array=2,5"});
//   for (const SlurmJob& job : jobs_named({"vise-extract-1a2b3c4d"})) job.is_live();
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file.h"

namespace vise::experiments {

// One job, or one task of an array.
struct SlurmJob {
  std::string id;  // "12", of an array its own: "12_3"
  std::string name;
  std::size_t task = 0;    // of an array; 0: none
  std::string state;       // Slurm's word: PENDING, RUNNING, COMPLETED, FAILED ...
  std::string reason;      // why it waits, or how it ended: "Resources", "NonZeroExitCode"
  std::int64_t start = 0;  // seconds since 1970, begun or expected; 0: not known

  // Whether it will run, runs, or is about to end.
  bool is_live() const;
  bool is_running() const;
  // Waits for a job that failed, and so forever.
  bool can_never_start() const;
};

using SlurmOptions = std::vector<std::pair<std::string, std::string>>;

// "partition=long,time=04:00:00": sbatch's long options without the dashes. A part without '=' belongs to the value
// before it ("exclude=n1,n2"); "exclusive=" is an option without a value. Error{usage} for what is no option, and for
// what the launcher sets itself.
SlurmOptions parse_slurm_options(const std::vector<std::string>& texts);
// "#SBATCH --partition=long"
std::string sbatch_line(const std::string& name, const std::string& value);

// The job's id. Error{missing} without sbatch, Error{input} with sbatch's own words for what it refuses.
std::string submit_job(const Path& script, const std::vector<std::string>& options);
// Every job of these names that Slurm still knows, tasks one by one. Error{system} where it doesn't answer.
std::vector<SlurmJob> jobs_named(const std::vector<std::string>& names);
void cancel_job(const std::string& id);
// Error{missing} where Slurm's commands aren't here.
void need_slurm();

// Of jobs that squeue has forgotten, the accounts' last word; empty where there are none (no slurmdbd).
std::vector<SlurmJob> jobs_in_accounts(const std::vector<std::string>& names, std::int64_t since);

// What squeue and sacct print with the formats that we ask for; lines that aren't of that form are passed over.
std::vector<SlurmJob> parse_squeue(std::string_view text);
std::vector<SlurmJob> parse_sacct(std::string_view text);

}  // namespace vise::experiments
