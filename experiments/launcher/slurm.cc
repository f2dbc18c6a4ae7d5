#include "experiments/launcher/slurm.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "base/error.h"
#include "base/process.h"
#include "base/text.h"

namespace vise::experiments {
namespace {

// What the job scripts and their order depend on.
const std::vector<std::string> kOurs{
    "array", "dependency", "output", "error",   "open-mode",  "job-name",  "parsable",
    "wait",  "wrap",       "chdir",  "requeue", "no-requeue", "test-only", "kill-on-invalid-dep"};
// Squeue's fields: array's job, task, job, name, state, reason, start.
constexpr const char* kSqueueFormat = "%F|%K|%A|%j|%T|%r|%S";
constexpr const char* kSacctFormat = "JobID%-40,JobName%-80,State%-20,ExitCode%-10,Start";

// Slurm prints local time: "2026-11-25T22:57:39", or N/A.
std::int64_t parse_time(const std::string& text) {
  std::tm time{};
  if (::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &time) == nullptr) return 0;
  // Whether summer time applied is worked out from the date.
  time.tm_isdst = -1;
  return static_cast<std::int64_t>(std::mktime(&time));
}

// A task's number; 0 for "N/A" and for the "1-16" of an array that hasn't begun.
std::size_t parse_task(const std::string& text) {
  std::int64_t task = 0;
  return parse_int(text, task) && task > 0 ? static_cast<std::size_t>(task) : 0;
}

std::vector<std::string> lines_of(std::string_view text) { return split(text, '\n'); }

// A command that can't be started means that this isn't a machine of the cluster.
Ended run_slurm(const std::vector<std::string>& words) {
  try {
    return run_process(words);
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::missing) throw;
    throw Error(ErrorKind::missing, fmt::format("{} isn't here: this machine has no Slurm commands", words[0]),
                "run the same command on a machine that submits jobs; on other clusters use `vise-eval extract --shard "
                "I/N` (docs/cluster.md)");
  }
}

// Slurm's messages begin with the reason.
std::string first_words(const Ended& ended) {
  const std::string text(trim(ended.err.empty() ? ended.out : ended.err));
  return text.substr(0, text.find('\n'));
}

// Names go into the script as they are, so only what an option can be called is accepted.
void check_option(const std::string& name) {
  const auto is_part_of_name = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  if (name.empty() || name.front() == '-' || !std::ranges::all_of(name, is_part_of_name))
    throw Error(ErrorKind::usage, fmt::format("--slurm: '{}' is no option of sbatch", name),
                "write its long options without the dashes: --slurm partition=long,time=04:00:00");
  if (std::ranges::count(kOurs, name) > 0)
    throw Error(ErrorKind::usage, fmt::format("--slurm: '{}' is what the launcher sets itself", name),
                "leave it out; the scripts in <out>/jobs can be changed and submitted by hand");
}

}  // namespace

bool SlurmJob::is_live() const {
  // A list of ends rather than of live states: a state of a later Slurm counts as alive, and nothing is submitted
  // twice.
  static const std::vector<std::string> over{"COMPLETED", "FAILED",    "CANCELLED", "TIMEOUT",       "NODE_FAIL",
                                             "PREEMPTED", "BOOT_FAIL", "DEADLINE",  "OUT_OF_MEMORY", "REVOKED"};
  return std::ranges::count(over, state) == 0;
}

bool SlurmJob::is_running() const { return state == "RUNNING" || state == "COMPLETING" || state == "STOPPED"; }

bool SlurmJob::can_never_start() const { return state == "PENDING" && reason == "DependencyNeverSatisfied"; }

SlurmOptions parse_slurm_options(const std::vector<std::string>& texts) {
  SlurmOptions options;
  for (const std::string& text : texts) {
    bool is_first = true;
    for (const std::string& part : split(text, ',')) {
      const auto equals = part.find('=');
      // A comma may belong to a value (gres=gpu:1,tmp:10G): a part without '=' continues the one before.
      if (equals == std::string::npos && !is_first) {
        options.back().second += "," + part;
      } else {
        const std::string name(trim(part.substr(0, equals)));
        check_option(name);
        options.emplace_back(name, equals == std::string::npos ? "" : part.substr(equals + 1));
        if (equals == std::string::npos)
          throw Error(ErrorKind::usage, fmt::format("--slurm: '{}' has no value", part),
                      fmt::format("write {0}=VALUE, or {0}= for an option that takes none", name));
      }
      is_first = false;
    }
  }
  for (const auto& [name, value] : options)
    // A line break would begin a new line of the script.
    if (std::ranges::any_of(value, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '"'; }))
      throw Error(ErrorKind::usage, fmt::format("--slurm: the value of '{}' has a quote or a line break", name));
  return options;
}

// Without quotes sbatch would end the value at a blank or take the rest for a comment.
std::string sbatch_line(const std::string& name, const std::string& value) {
  const bool has_blank = value.find_first_of(" #") != std::string::npos;
  return fmt::format("#SBATCH --{}{}{}\n", name, value.empty() ? "" : "=",
                     has_blank ? fmt::format("\"{}\"", value) : value);
}

std::string submit_job(const Path& script, const std::vector<std::string>& options) {
  std::vector<std::string> words{"sbatch", "--parsable"};
  words.insert(words.end(), options.begin(), options.end());
  words.push_back(script.string());
  const Ended ended = run_slurm(words);
  const std::string id(trim(ended.out.substr(0, ended.out.find_first_of(";\n"))));  // "12" or "12;cluster"
  if (ended.code != 0 || id.empty())
    throw Error(ErrorKind::input, fmt::format("sbatch refused {}: {}", script.string(), first_words(ended)),
                "--slurm KEY=VALUE sets what your cluster asks for (partition, account, time); `scontrol show config` "
                "has its limits (MaxArraySize for --shards)");
  return id;
}

std::vector<SlurmJob> parse_squeue(std::string_view text) {
  std::vector<SlurmJob> jobs;
  for (const std::string& line : lines_of(text)) {
    const std::vector<std::string> cells = split(line, '|');
    // A line of another form is a message of Slurm's own.
    if (cells.size() != 7) continue;
    SlurmJob job{"", cells[3], parse_task(cells[1]), cells[4], cells[5], parse_time(cells[6])};
    job.id = job.task > 0 ? fmt::format("{}_{}", cells[0], job.task) : cells[2];
    jobs.push_back(std::move(job));
  }
  return jobs;
}

// Array tasks are "12_3" in accounts; a job that is no array has its number alone.
std::vector<SlurmJob> parse_sacct(std::string_view text) {
  std::vector<SlurmJob> jobs;
  for (const std::string& line : lines_of(text)) {
    const std::vector<std::string> cells = split(line, '|');
    if (cells.size() != 5) continue;
    const std::string state = cells[2].substr(0, cells[2].find(' '));  // "CANCELLED by 1000"
    const auto bar = cells[0].find('_');
    const std::size_t task = bar == std::string::npos ? 0 : parse_task(cells[0].substr(bar + 1));
    jobs.push_back({cells[0], cells[1], task, state, "exit code " + cells[3], parse_time(cells[4])});
  }
  return jobs;
}

std::vector<SlurmJob> jobs_named(const std::vector<std::string>& names) {
  const Ended ended = run_slurm({"squeue", "--noheader", "--array", "--states=all", "--name=" + join(names, ","),
                                 std::string("--format=") + kSqueueFormat});
  if (ended.code != 0)
    throw Error(ErrorKind::system, fmt::format("Slurm doesn't answer: {}", first_words(ended)),
                "jobs that were submitted are not lost by that; ask again later");
  return parse_squeue(ended.out);
}

// Accounts are asked from the first submission on: sacct otherwise begins at midnight.
std::vector<SlurmJob> jobs_in_accounts(const std::vector<std::string>& names, std::int64_t since) {
  const Ended ended = run_slurm({"sacct", "--noheader", "--allocations", "--parsable2", "--name=" + join(names, ","),
                                 "--starttime=" + fmt::format("{:%Y-%m-%dT%H:%M:%S}", fmt::localtime(since)),
                                 std::string("--format=") + kSacctFormat});
  // Many clusters keep no accounts; then the queue and the stores have to do.
  return ended.code == 0 ? parse_sacct(ended.out) : std::vector<SlurmJob>{};
}

void cancel_job(const std::string& id) { run_slurm({"scancel", "--quiet", id}); }

void need_slurm() { run_slurm({"sbatch", "--version"}); }

}  // namespace vise::experiments
