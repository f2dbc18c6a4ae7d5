// `vise-eval run --launcher slurm`: a run on a cluster, from its command line to its job numbers.
#pragma once

#include <string>
#include <vector>

#include "cli/session.h"
#include "experiments/runner.h"

namespace vise::cli {

struct LaunchOptions {
  std::string launcher;  // empty: here
  int shards = 0;
  std::vector<std::string> slurm;
  bool wait = false;
};

void add_launch_options(CLI::App* verb, LaunchOptions& options);

// Error{usage} for launch options without --launcher.
void check_launch_options(const LaunchOptions& options);
// What would be written and submitted, on stdout.
void print_scripts(const LaunchOptions& options, const experiments::RunRequest& request, bool clean, Session& session);
// Submits, prints the jobs, and with --wait follows them to the tables.
void launch_run(const LaunchOptions& options, const experiments::RunRequest& request, bool clean, Session& session);

}  // namespace vise::cli
