// How verbs name a data set: --task T or --data PATH.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/session.h"
#include "cli/split_options.h"
#include "datasets/data_columns.h"
#include "experiments/task.h"

namespace vise::cli {

struct DataChoice {
  std::string task, data, target;  // target: "" for the task's own, or "label"
  datasets::DataColumns columns;   // of --data
  std::vector<std::string> include_paths;
  SplitOptions split;
};

void add_data_options(CLI::App* verb, DataChoice& choice);
// --path-column, --label-column, --split-column and --label-kind.
void add_column_options(CLI::App* verb, datasets::DataColumns& columns);
// Error{usage} for such an option without --data.
void check_columns(const datasets::DataColumns& columns, bool has_data);

// The task of that name, or the first of the splits of one. Error{usage} for a group of tasks of several data sets.
experiments::Task one_task(const experiments::TaskLibrary& library, const std::string& name, Session& session);

struct OpenedData {
  experiments::Task task;
  datasets::Dataset dataset;
  std::optional<datasets::Split>
      split;  // nothing where the data set has no labels to split by, and no split of its own
};

// Error{usage} unless one of the two is given; the errors of the data set otherwise. Of a task of several splits, the
// first.
OpenedData open_data(const DataChoice& choice, Session& session);

}  // namespace vise::cli
