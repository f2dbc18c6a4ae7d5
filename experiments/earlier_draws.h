// Runs that began with a program up to 0.1 keep the splits and subsets that it drew, by the task's name.
//
//   keep_earlier_draws(request.out, task);     // sets task.split.by_name where the folder's results are such
#pragma once

#include "experiments/task.h"

namespace vise::experiments {

// A task that was opened (it has its name and target). A rule that the command line asks for is nobody's earlier one.
void keep_earlier_draws(const Path& run_folder, Task& task);

}  // namespace vise::experiments
