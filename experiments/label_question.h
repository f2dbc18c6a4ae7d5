// Labels of a person's own data that may be no classes are asked about, not trained on.
#pragma once

#include "base/log.h"
#include "datasets/dataset.h"
#include "experiments/task.h"

namespace vise::experiments {

// Error{usage} with what the target's labels look like (label_check.h) and the answers, unless the task gives one
// (columns.kind). Says in a note where numbers are taken for codes of classes; warns, too, of names that may be typos.
// Data sets of the registry are known.
void ask_about_labels(const Task& task, datasets::Dataset& dataset, Log& log);

}  // namespace vise::experiments
