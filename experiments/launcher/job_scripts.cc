#include "experiments/launcher/job_scripts.h"

#include <fmt/format.h>

#include "base/text.h"
#include "base/version.h"

namespace vise::experiments {
namespace {

// For the shell.
std::string quoted(const std::string& text) {
  std::string safe = "'";
  // In single quotes nothing is special but the quote itself, which is written as '\''.
  for (const char c : text) safe += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return safe + "'";
}

std::string quoted(const Path& path) { return quoted(path.string()); }

// sbatch's own patterns begin with %.
std::string log_pattern(const JobFolder& folder, const char* name) {
  std::string pattern;
  for (const char c : (folder.logs() / "").string()) pattern += c == '%' ? std::string("%%") : std::string(1, c);
  return pattern + name;
}

// The user's options last: sbatch takes the later one. Signals are for this script, which hands them on.
std::string heading(const LaunchRequest& request, const std::string& name, const std::string& log,
                    const std::string& what) {
  std::string text = fmt::format("#!/bin/bash\n# {} Written by vise-eval {}.\n", what, kVersion);
  // B: signals the batch shell alone, 120 seconds ahead of the limit: time for the blocks under
  // way. Append, so that a requeued job's log has both of its lives.
  text += sbatch_line("job-name", name) + sbatch_line("output", log) + sbatch_line("open-mode", "append") +
          sbatch_line("requeue", "") + sbatch_line("signal", "B:USR1@120");
  for (const auto& [option, value] : request.slurm) {
    // A signal to job steps would reach nothing here, since the program is no step of its own.
    const bool is_for_steps = option == "signal" && !value.starts_with("B:") && !value.starts_with("RB:");
    text += sbatch_line(option, is_for_steps ? "B:" + value : value);
  }
  return text;
}

// Slurm's signals reach this shell, since nothing runs below a step of its own. `wait` ends early for a trapped one.
constexpr const char* kSupervise = R"sh(
# Runs a program and hands Slurm's warnings on to it: USR1 ahead of the time limit, TERM of preemption. It then finishes
# the work under way and keeps it.
stop=
trap 'stop=USR1; asked=1; kill -USR1 "$program" 2> /dev/null' USR1
trap 'stop=TERM; asked=1; kill -TERM "$program" 2> /dev/null' TERM
supervise() {
  "$@" &
  program=$!
  [ -z "$stop" ] || kill -TERM "$program"
  while :; do
    asked=
    wait "$program"
    code=$?
    [ -n "$asked" ] || return "$code"
  done
}
TIMEFORMAT='%R s, of CPU %U + %S s'
)sh";

// A job that Slurm takes back (preemption, a dead node) is requeued by Slurm itself.
constexpr const char* kRequeue = R"sh(
# Stopped ahead of its time limit, or killed (137: memory, too): it goes on in the queue, as long as it gets somewhere.
if { [ "$stop" = USR1 ] && [ "$code" != 0 ]; } || { [ -z "$stop" ] && [ "$code" -gt 130 ]; }; then
  if [ "$(kept)" != "$before" ]; then
    echo "ended with $code; back into the queue"
    scontrol requeue "${SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}${SLURM_ARRAY_TASK_ID:+_$SLURM_ARRAY_TASK_ID}"
  else
    echo "ended with $code and nothing new was kept: not requeued"
  fi
fi
exit "$code"
)sh";

// What both jobs give the program. Offline: weights were fetched before anything was submitted. Threads are those
// that Slurm gives the job, unless they were asked for.
std::string common_options(const LaunchRequest& request) {
  const features::ExtractOptions& extract = request.run.extract;
  std::string text = fmt::format(
      " \\\n  --cache {} --offline --threads {}", quoted(std::filesystem::absolute(extract.cache).lexically_normal()),
      request.threads > 0 ? std::to_string(request.threads) : std::string("\"${SLURM_CPUS_ON_NODE:-1}\""));
  if (extract.on_bad_image == features::BadImagePolicy::skip) text += " --on-bad-image skip";
  if (extract.max_pixels != features::ExtractOptions{}.max_pixels)
    text += fmt::format(" --max-pixels {}", extract.max_pixels);
  return text;
}

// The option's words, as --overwrite takes them.
std::string overwrite_name(Overwrite overwrite) {
  return overwrite == Overwrite::always ? "always" : overwrite == Overwrite::never ? "never" : "missing";
}

}  // namespace

// Heading, what counts as progress, supervisor, one command, requeue: the same five parts in both scripts.
std::string extract_script(const LaunchRequest& request, const JobFolder& folder) {
  std::string text = heading(request, folder.extract_name(), log_pattern(folder, "extract-%A_%a.log"),
                             fmt::format("Features of one of {} shards.", request.shards));
  text += sbatch_line("array", fmt::format("1-{}", request.shards));
  text += fmt::format("shard=$SLURM_ARRAY_TASK_ID\nstore={}/\"$shard\"-of-{}\n", quoted(folder.path() / "shards"),
                      request.shards);
  // Progress is what the store holds: a job that is stopped without a new block would be stopped
  // in the same place again, and is not requeued.
  text += "kept() { cat \"$store\"/features/*/manifest.csv 2> /dev/null | grep -c ^#block; }\nbefore=$(kept)\n";
  text += kSupervise;
  text += fmt::format("\ntime supervise {} extract {} \\\n  --shard \"$shard\"/{} --into \"$store\"{}\n",
                      quoted(request.program), quoted(folder.plan()), request.shards, common_options(request));
  return text + kRequeue;
}

std::string finish_script(const LaunchRequest& request, const JobFolder& folder, bool merges) {
  std::string text = heading(request, folder.finish_name(), log_pattern(folder, "finish-%j.log"),
                             "All shards into the cache, then probes and tables.");
  // Without this a job whose dependency failed would wait in the queue for ever.
  text += sbatch_line("kill-on-invalid-dep", "yes");
  // Progress of this job: results that were appended, and shards that were merged.
  text += fmt::format("jobs={}\n", quoted(folder.path()));
  text += fmt::format("kept() {{ cat {} \"$jobs\"/shards/*/shard.json 2> /dev/null | wc -c; }}\nbefore=$(kept)\n",
                      quoted(folder.out() / "results.jsonl"));
  text += kSupervise;
  text += "\n";
  if (merges)
    text += fmt::format(
        "stores=()\nfor shard in $(seq {0}); do stores+=(\"$jobs/shards/$shard-of-{0}\"); done\n"
        "time supervise {1} cache merge --move \"${{stores[@]}}\" --cache {2} &&\n",
        request.shards, quoted(request.program),
        quoted(std::filesystem::absolute(request.run.extract.cache).lexically_normal()));
  text += fmt::format("time supervise {} run {} --out {} --overwrite {}{}{}\n", quoted(request.program),
                      quoted(folder.plan()), quoted(folder.out()), overwrite_name(request.run.overwrite),
                      request.clean ? " --clean" : "", common_options(request));
  text +=
      "code=$?\n[ \"$code\" -gt 1 ] || echo \"$code\" > \"$jobs\"/finished  # 1: some cells failed, and the tables say "
      "which\n";
  return text + kRequeue;
}

}  // namespace vise::experiments
