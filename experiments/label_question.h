// Labels of a person's own data that may be no classes are asked about, not trained on.
#pragma once

#include "datasets/dataset.h"
#include "experiments/task.h"

namespace vise::experiments {

// Error{usage} with what the target's labels look like (label_check.h) and the answers, unless the task gives one
// (columns.kind). Says in a note where numbers are taken for codes of classes. Data sets of the registry are known.
void ask_about_labels(const Task& task, datasets::Dataset& dataset);

}  // namespace vise::experiments
