// How the command line says which images are for what: --split, --split-seed, --splits, --group, --folds.
#pragma once

#include <string>
#include <vector>

#include "cli/session.h"
#include "experiments/task.h"

namespace vise::cli {

struct SplitOptions {
  std::string file, group;
  std::int64_t seed = -1;  // -1: not said
  int splits = 0, folds = 0;

  bool any() const { return !file.empty() || !group.empty() || seed >= 0 || splits > 0 || folds > 0; }
};

// --splits only where `several`: verbs about one split don't take it.
void add_split_options(CLI::App* verb, SplitOptions& options, bool several);

// The task under that rule, one a split. Error{usage} for options that exclude each other.
std::vector<experiments::Task> with_split(const experiments::Task& task, const SplitOptions& options);

}  // namespace vise::cli
