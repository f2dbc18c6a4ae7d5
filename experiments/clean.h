// Does a comparison hold without the test images that are in doubt? The same models, judged on those that the audit
// (datasets/audit.h) doesn't flag: copies of training images, images with two labels, unreadable ones.
//
//   const auto flagged = flagged_test_images(task, request, context);
//   const std::vector<Result> clean = write_clean_results(out, outcome.results, task, flagged);
//
// The results, scores and splits of the judgement are in <out>/clean, a run's folder like any other: `report` merges it
// with <out>, `verify` recomputes it. Nothing is fitted again: what a model learned from is the same.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "experiments/runner.h"

namespace vise::experiments {

// Item id -> why. Reads and decodes every image of the task. Error as open_dataset() has it.
std::map<std::string, std::string> flagged_test_images(const Task& task, const RunRequest& request,
                                                       const Context& context);

// One result for each of `results` that is of this task, ok and with scores; none where nothing is flagged. Writes
// them, and clean/flagged-<task>.csv with the reasons, below `run_folder`.
std::vector<Result> write_clean_results(const Path& run_folder, const std::vector<Result>& results, const Task& task,
                                        const std::map<std::string, std::string>& flagged);

}  // namespace vise::experiments
