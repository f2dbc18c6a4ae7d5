// The session's places of data and weights, given to a run.
#pragma once

#include "cli/session.h"
#include "experiments/runner.h"

namespace vise::cli {

// Before a study's own; fetched weights go where the session says. The cache is the session's; limits and bad images a
// study's, unless the command line says more than its defaults.
void add_places(const Places& places, RunRequest& request);

}  // namespace vise::cli
