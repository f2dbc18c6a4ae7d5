// `vise-eval compare A.npy B.npy --labels y.csv`: from arrays to a table. Probes are fitted on every file of features,
// on one split of the same rows, and their differences are paired by row; the folder it writes can be verified.
#pragma once

#include <string>
#include <vector>

#include "cli/probe_fit.h"
#include "cli/session.h"

namespace vise::cli {

struct ArrayOptions {
  ProbeRun run;                     // its features and probe stand for each of these
  std::vector<std::string> probes;  // none: logreg, or ridge for values
  std::vector<std::string> names;   // of the rows, as many as files; none: the files'
  std::string baseline;             // a row's name; "": the last file
};

void add_array_options(CLI::App* verb, ArrayOptions& options);

// Whether all of these words are files of features.
bool are_arrays(const std::vector<std::string>& words);

void compare_arrays(const std::vector<std::string>& files, const ArrayOptions& options, Session& session);

}  // namespace vise::cli
