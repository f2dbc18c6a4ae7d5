// A task file written from what a data set holds: a start for `vise-eval init-task`'s users.
#pragma once

#include <string>
#include <vector>

#include "datasets/data_columns.h"
#include "datasets/dataset.h"

namespace vise::experiments {

// YAML that parse_task() reads, commented with the choices there are. `data` is what was opened, with these columns,
// `file` where the text is to be written: the task names data below the file's folder relative to it, other data by its
// absolute path. `weights` are backbones that this machine has weights of: the task compares these, or what needs none,
// so that it runs as it is. Error{input} where the data set has no target.
std::string task_yaml(const datasets::Dataset& dataset, const Path& data, const Path& file,
                      const std::vector<std::string>& weights, const datasets::DataColumns& columns = {});

}  // namespace vise::experiments
