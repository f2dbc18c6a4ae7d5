#include "cli/launch.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <chrono>
#include <thread>

#include "base/error.h"
#include "base/process.h"
#include "base/text.h"
#include "cli/report.h"
#include "experiments/launcher/launch.h"
#include "experiments/launcher/run_status.h"
#include "experiments/study.h"
#include "reports/compare.h"

namespace vise::cli {
namespace {

// How often the run's files and Slurm are looked at: a controller of a large cluster shouldn't be asked more often.
constexpr auto kBetweenLooks = std::chrono::seconds(2);

// What the launcher needs; jobs run this very executable, so that all of them compute with one version.
experiments::LaunchRequest request_of(const LaunchOptions& options, const experiments::RunRequest& run, bool clean,
                                      const Session& session) {
  experiments::LaunchRequest request{run,
                                     static_cast<std::size_t>(options.shards),
                                     experiments::parse_slurm_options(options.slurm),
                                     own_executable(),
                                     session.threads,
                                     clean};
  // Jobs start in another working folder than this command's.
  request.run.out = std::filesystem::absolute(run.out).lexically_normal();
  request.run.extract.cache = std::filesystem::absolute(run.extract.cache).lexically_normal();
  return request;
}

// "1-3,7"
std::string ranges(const std::vector<std::size_t>& numbers) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < numbers.size();) {
    std::size_t end = i;
    while (end + 1 < numbers.size() && numbers[end + 1] == numbers[end] + 1) ++end;
    parts.push_back(end == i ? std::to_string(numbers[i]) : fmt::format("{}-{}", numbers[i], numbers[end]));
    i = end + 1;
  }
  return join(parts, ",");
}

// "; 1-3,7 done", or nothing for none.
std::string count_of(const std::vector<std::size_t>& numbers, const char* what) {
  return numbers.empty() ? "" : fmt::format("; {} {}", ranges(numbers), what);
}

// On stdout: scripts take the job numbers from here.
void print_launched(const experiments::Launched& launched, const experiments::JobFolder& folder,
                    const Session& session) {
  if (session.json) {
    fmt::print("{}\n", Json({{"extract_job", launched.extract_job},
                             {"finish_job", launched.finish_job},
                             {"finish_is_new", launched.finish_is_new},
                             {"submitted", launched.submitted},
                             {"under_way", launched.alive},
                             {"done", launched.done},
                             {"damaged", launched.damaged},
                             {"failing", launched.failing},
                             {"jobs", folder.path().string()}})
                           .dump());
    return;
  }
  if (!launched.extract_job.empty())
    fmt::print("extraction: job {}, shards {}{}{}\n", launched.extract_job, ranges(launched.submitted),
               count_of(launched.alive, "under way"), count_of(launched.done, "done"));
  else if (!launched.alive.empty())
    fmt::print("extraction: shards {} under way{}\n", ranges(launched.alive), count_of(launched.done, "done"));
  else
    fmt::print("extraction: nothing to do\n");
  if (launched.finish_job.empty())
    fmt::print("probes and tables: nothing to do; they lie in {}\n", folder.out().string());
  else
    fmt::print("probes and tables: job {}{}\n", launched.finish_job, launched.finish_is_new ? "" : ", under way");
}

// Warnings about shards first, then what was submitted.
void tell(const experiments::Launched& launched, const experiments::JobFolder& folder, Session& session) {
  session.console.end_progress();
  for (const std::string& why : launched.failing) session.console.warn(fmt::format("fails, the rest goes on: {}", why));
  if (!launched.damaged.empty())
    session.console.info(
        fmt::format("shards {}: damaged blocks were found by the merge; the rows that are gone are "
                    "computed again",
                    ranges(launched.damaged)));
  print_launched(launched, folder, session);
  if (!launched.finish_job.empty())
    session.console.info(fmt::format("scripts and logs: {}; how far it is: vise-eval status {}", folder.path().string(),
                                     folder.out().string()));
}

// The last job's tables, as `run` prints them.
// From results.jsonl, with the plan's baselines and kinds, since the job itself printed into its log.
void print_tables(const experiments::JobFolder& folder, Session& session, const Context& context) {
  reports::CompareOptions compare_options;
  for (const experiments::Task& task : experiments::read_study(folder.out() / "plan.yaml").tasks) {
    compare_options.baselines[task.name] = task.baseline;
    if (!task.kind.empty()) compare_options.kinds[task.name] = task.kind;
  }
  std::vector<reports::RunFolder> runs{reports::read_run(folder.out().string())};
  print_report(reports::make_report(std::move(runs), compare_options, context), session);
}

// Looks every 100 ms whether Ctrl-C was pressed; the jobs are left alone.
void sleep_unless_stopped(const Context& context) {
  const auto until = std::chrono::steady_clock::now() + kBetweenLooks;
  while (std::chrono::steady_clock::now() < until) {
    if (context.stop.stop_requested())
      throw Error(ErrorKind::interrupted, "no longer waiting; the jobs go on",
                  "vise-eval status RUN says how far they are");
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

// Every failed job with Slurm's reason and its log, since the program can't know which one matters.
void tell_failed(const experiments::RunStatus& status, Session& session) {
  const auto line = [&](const std::string& what, const experiments::JobStatus& job) {
    if (job.state == experiments::JobState::failed)
      session.console.warn(fmt::format("{} failed: {}{}", what, job.reason,
                                       job.log.empty() ? "" : fmt::format("; its log: {}", job.log.string())));
  };
  for (const experiments::ShardStatus& shard : status.shards) line(fmt::format("shard {}", shard.number), shard.job);
  line("the job of probes and tables", status.finish);
  session.console.info("run the same command again: what is done stays, the rest is submitted");
}

// Returns when nothing runs or waits any more. The tables are printed if the last job came to its end, whatever its
// code.
void follow(const experiments::JobFolder& folder, Session& session, const Context& context) {
  experiments::RunStatus status = experiments::run_status(folder.out());
  // Slurm may say nothing while its controller restarts: the jobs keep running.
  for (; !status.is_over(); status = experiments::run_status(folder.out())) {
    if (status.count(experiments::JobState::done) < status.shards.size())
      session.console.progress(
          fmt::format("{} of {} shards done; rows", status.count(experiments::JobState::done), status.shards.size()),
          status.rows(), status.of());
    else
      session.console.progress("shards done; merging, fitting probes", 0, 0);
    sleep_unless_stopped(context);
  }
  session.console.end_progress();
  // The last job's own code becomes this command's, as if it had run here.
  if (status.exit_code) {
    session.exit_code = *status.exit_code;
    return print_tables(folder, session, context);
  }
  tell_failed(status, session);
  session.exit_code = 1;
}

}  // namespace

void add_launch_options(CLI::App* verb, LaunchOptions& options) {
  verb->add_option("--launcher", options.launcher, "slurm: submit it to a cluster instead of running it here")
      ->type_name("L")
      ->check(CLI::IsMember({"slurm"}));
  verb->add_option("--shards", options.shards, "of --launcher: how many jobs extract, side by side")
      ->type_name("N")
      ->check(CLI::Range(1, 100000));
  verb->add_option("--slurm", options.slurm, "of both jobs: sbatch's options, as partition=long,time=04:00:00")
      ->type_name("KEY=VALUE[,KEY=VALUE]");
  verb->add_flag("--wait", options.wait, "of --launcher: follow the jobs, and print the tables");
}

// Which options fit each other; checked before the request is made.
void check_launch_options(const LaunchOptions& options) {
  if (options.launcher.empty() && (options.shards > 0 || !options.slurm.empty() || options.wait))
    throw Error(ErrorKind::usage, "run: --shards, --slurm and --wait belong to --launcher slurm",
                "add --launcher slurm");
  if (!options.launcher.empty() && options.shards == 0)
    throw Error(ErrorKind::usage, "run: --launcher slurm needs --shards N",
                "as many as nodes, or jobs, that you may use at a time: --shards 8");
}

// What --dry-run shows: the two scripts as they would be submitted.
void print_scripts(const LaunchOptions& options, const experiments::RunRequest& request, bool clean, Session& session) {
  const experiments::LaunchRequest launched = request_of(options, request, clean, session);
  const experiments::JobFolder folder(launched.run.out);
  const experiments::LaunchPreview preview = experiments::preview_launch(launched);
  if (session.json) {
    fmt::print("{}\n",
               Json({{"extract_script", preview.extract_script}, {"finish_script", preview.finish_script}}).dump());
    return;
  }
  fmt::print("\nsbatch {}:\n\n{}\nsbatch --dependency=afterok:<the job above> {}:\n\n{}",
             folder.extract_script().string(), preview.extract_script, folder.finish_script().string(),
             preview.finish_script);
}

// Returns at once unless --wait was given. With it the tables are printed, at once where nothing was left to submit.
void launch_run(const LaunchOptions& options, const experiments::RunRequest& request, bool clean, Session& session) {
  const experiments::LaunchRequest asked = request_of(options, request, clean, session);
  const experiments::JobFolder folder(asked.run.out);
  const Context context = session.context();
  const experiments::Launched launched = experiments::launch(asked, context);
  tell(launched, folder, session);
  if (!options.wait) return;
  if (launched.finish_job.empty()) return print_tables(folder, session, context);
  follow(folder, session, context);
}

}  // namespace vise::cli
