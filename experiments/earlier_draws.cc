#include "experiments/earlier_draws.h"

#include <algorithm>

#include "experiments/draws.h"
#include "experiments/result.h"
#include "experiments/results_file.h"

namespace vise::experiments {

void keep_earlier_draws(const Path& run_folder, Task& task) {
  std::error_code error;
  const Path file = run_folder / "results.jsonl";
  if (run_folder.empty() || task.split.asked || !std::filesystem::exists(file, error)) return;
  // Draws changed once (results carry the number of the rule). A folder that was begun under the
  // old rule is finished under it, or its table would mix two splits.
  task.split.by_name = std::ranges::any_of(read_results(file, ResultDetail::table), [&](const Result& result) {
    return result.ok() && result.draw == kDrawnByName && result.cell.task == task.name &&
           result.cell.target == task.target;
  });
}

}  // namespace vise::experiments
