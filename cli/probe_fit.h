// A probe fitted and tested on arrays: what `vise-eval probe` does with one file of features and `vise-eval compare`
// with several.
#pragma once

#include <map>
#include <string>

#include "base/log.h"
#include "cli/probe_data.h"
#include "experiments/result.h"

namespace vise::cli {

struct ProbeRun {
  ProbeFiles files;
  std::string name;  // of the row; "": features_name()
  std::string probe = "logreg", out;
  int folds = 5, nested = 0;
};

// "A" of A.npy; of what `extract` writes, features.npy, also its folder: "x/features".
std::string features_name(const Path& file);

// Writes the test scores below run.out, unless that is "".
experiments::Result probe_features(const ProbeRun& run, const ProbeData& data, const Context& context);

// Adds the result and its split to the folder run.out, whose seal is broken by it.
void keep_result(const ProbeRun& run, const ProbeData& data, const experiments::Result& result);

// "C = 0.1", or "nothing".
std::string chosen_text(const std::map<std::string, double>& chosen);

}  // namespace vise::cli
