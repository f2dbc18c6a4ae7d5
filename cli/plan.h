// What a run would do, and what it could show: `plan`, and `run --dry-run`.
#pragma once

#include "cli/session.h"
#include "experiments/runner.h"

namespace vise::cli {

// On stdout; the session ends with exit code 3 where data or weights are missing. Error as look_ahead() has it.
void print_plan(const experiments::RunRequest& request, Session& session);

}  // namespace vise::cli
