// The session's places of data and weights, given to a run.
#pragma once

#include "cli/session.h"
#include "experiments/runner.h"

namespace vise::cli {

// Before a study's own; fetched weights go where the session says. Cache, limits and bad images are the session's.
void add_places(const Places& places, RunRequest& request);

}  // namespace vise::cli
