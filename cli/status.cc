// `vise-eval status`: how far a run on a cluster is.
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <chrono>

#include "base/text.h"
#include "cli/session.h"
#include "experiments/launcher/run_status.h"

namespace vise::cli {
namespace {

// Empty texts and null say what isn't known, so that a program finds every key.
Json to_json(const experiments::JobStatus& job) {
  return {{"state", experiments::job_state_name(job.state)},
          {"job", job.job},
          {"reason", job.reason},
          {"log", job.log.string()}};
}

// In seconds since 1970, by the rate so far.
std::int64_t expected_end(const experiments::RunStatus& status) {
  return std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()) +
         static_cast<std::int64_t>(*status.seconds_left);
}

Json to_json(const experiments::RunStatus& status) {
  Json shards = Json::array();
  for (const experiments::ShardStatus& shard : status.shards) {
    Json each = to_json(shard.job);
    each.update({{"shard", shard.number}, {"rows", shard.rows}, {"of", shard.of}, {"merged", shard.merged}});
    shards.push_back(std::move(each));
  }
  return {{"shards", shards},
          {"finish", to_json(status.finish)},
          {"rows", status.rows()},
          {"of", status.of()},
          {"exit_code", status.exit_code ? Json(*status.exit_code) : Json()},
          {"slurm_answers", status.slurm_answers},
          {"seconds_left", status.seconds_left ? Json(*status.seconds_left) : Json()},
          {"over", status.is_over()}};
}

// The state, with what Slurm says of it.
std::string words_of(const experiments::JobStatus& job) {
  std::string words(experiments::job_state_name(job.state));
  if (!job.job.empty()) words += fmt::format(", job {}", job.job);
  if (!job.reason.empty()) words += fmt::format(" ({})", job.reason);
  if (job.state == experiments::JobState::failed && !job.log.empty())
    words += fmt::format("; log: {}", job.log.string());
  return words;
}

void print(const experiments::RunStatus& status) {
  for (const experiments::ShardStatus& shard : status.shards)
    fmt::print("shard {}: {}{}; {}\n", shard.number, words_of(shard.job), shard.merged ? ", merged" : "",
               shard.of > 0 ? fmt::format("{} of {} rows", shard.rows, shard.of) : "not begun");
  fmt::print("probes and tables: {}\n", words_of(status.finish));
  fmt::print("{} of {} shards done, {} running, {} waiting, {} failed; {} of {} rows\n",
             status.count(experiments::JobState::done), status.shards.size(),
             status.count(experiments::JobState::running), status.count(experiments::JobState::waiting),
             status.count(experiments::JobState::failed), status.rows(), status.of());
  if (status.seconds_left)
    fmt::print("extraction: {} to go, until about {:%Y-%m-%d %H:%M}\n", duration_text(*status.seconds_left),
               fmt::localtime(expected_end(status)));
  if (status.exit_code)
    fmt::print("finished: {}\n",
               *status.exit_code == 0 ? "every cell is measured" : "some cells failed; the tables say which");
}

// The run's files are the record; Slurm adds only what it still knows of its jobs.
void status_verb(const std::string& out, Session& session) {
  const experiments::RunStatus status = experiments::run_status(out);
  if (!status.slurm_answers) session.console.warn("Slurm doesn't answer: what is known is from the run's files alone");
  if (session.json)
    fmt::print("{}\n", to_json(status).dump());
  else
    print(status);
}

}  // namespace

void add_status(Verbs& verbs) {
  auto out = std::make_shared<std::string>();
  Session& session = verbs.session;
  CLI::App* verb = verbs.add("status", "how far a run on a cluster is: its shards, its jobs, the expected end",
                             "  vise-eval status vise-results/emotion\n  vise-eval status vise-results/emotion --json",
                             [=, &session] { status_verb(*out, session); });
  verb->add_option("run", *out, "the --out of a run that was started with --launcher")->type_name("RUN")->required();
  verbs.add_json_option(verb);
}

}  // namespace vise::cli
