#include "cli/data.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "datasets/data_columns.h"
#include "datasets/dataset_registry.h"
#include "datasets/label_check.h"
#include "datasets/open_data.h"
#include "datasets/sampling.h"
#include "experiments/runner.h"
#include "experiments/split_rule.h"

namespace vise::cli {
namespace {

// The task that --task names, or one made for --data. A group of tasks, or a task of several splits, gives its first.
experiments::Task chosen_task(const DataChoice& choice, Session& session) {
  if (choice.task.empty() == choice.data.empty())
    throw Error(ErrorKind::usage, "one of --task NAME and --data PATH is needed",
                "vise-eval list tasks; PATH is a folder of class folders, a table (CSV, JSONL, Parquet), or archives");
  check_columns(choice.columns, !choice.data.empty());
  if (!choice.data.empty())
    return with_split(experiments::task_for_data(choice.data, choice.target, choice.columns), choice.split).front();
  const experiments::TaskLibrary library({choice.include_paths.begin(), choice.include_paths.end()});
  experiments::Task task = with_split(one_task(library, choice.task, session), choice.split).front();
  if (!choice.target.empty()) task.target = choice.target;
  return task;
}

// Labels of which each image has its own can't be dealt to parts; then there is no split, and it is said why.
std::optional<datasets::Split> asked_split(const experiments::Task& task, const datasets::Dataset& dataset,
                                           Session& session) {
  try {
    return experiments::resolve_split(task, dataset);
  } catch (const Error& e) {
    // A split file that doesn't fit is the user's mistake and stops the verb.
    if (e.kind() != ErrorKind::input || task.split.kind == "file") throw;
    session.console.warn(fmt::format("the split that was asked for can't be drawn: {}", e.message()));
    return dataset.official;
  }
}

}  // namespace

experiments::Task one_task(const experiments::TaskLibrary& library, const std::string& name, Session& session) {
  const std::vector<experiments::Task> tasks = library.expand(name);
  const experiments::Task& first = tasks.front();
  std::vector<std::string> names;
  for (const experiments::Task& task : tasks) names.push_back(task.name);
  if (std::ranges::any_of(tasks, [&](const auto& t) { return t.dataset != first.dataset || t.data != first.data; }))
    throw Error(ErrorKind::usage, fmt::format("'{}' is a group of tasks, and here one data set is needed", name),
                fmt::format("name one of its tasks: {}", join(names, ", ")));
  if (tasks.size() > 1) session.console.info(fmt::format("{}: the split of {}", name, first.name));
  return first;
}

void add_data_options(CLI::App* verb, DataChoice& choice) {
  verb->add_option("--task", choice.task, "a task's data set and split")->type_name("T");
  verb->add_option("--data", choice.data, "a folder of class folders, a table (CSV, JSONL, Parquet), or archives")
      ->type_name("PATH");
  verb->add_option("--target", choice.target, "which of the data's labels [the task's; label, or the only one]")
      ->type_name("NAME");
  add_column_options(verb, choice.columns);
  add_split_options(verb, choice.split, false);
  verb->add_option("--include-path", choice.include_paths, "a folder of task files of your own")->type_name("DIR");
}

void add_column_options(CLI::App* verb, datasets::DataColumns& columns) {
  verb->add_option("--path-column", columns.path,
                   "of --data's table: which column names the image [path, file_name, ...]")
      ->type_name("NAME");
  verb->add_option("--label-column", columns.label, "which holds the labels [label, class, category, target]")
      ->type_name("NAME");
  verb->add_option("--split-column", columns.split, "which holds train, val, test [split]")->type_name("NAME");
  verb->add_option("--label-kind", columns.kind, "what the labels of --data are [as they look]")
      ->type_name("{classes,values}")
      ->check(CLI::IsMember({"classes", "values"}));
}

// A column's name without --data would be ignored, which nobody would notice.
void check_columns(const datasets::DataColumns& columns, bool has_data) {
  const bool any = !columns.path.empty() || !columns.label.empty() || !columns.split.empty() || !columns.kind.empty();
  if (any && !has_data)
    throw Error(ErrorKind::usage, "--path-column, --label-column, --split-column and --label-kind are about --data",
                "a task's file names them itself: columns: {path: ..., label: ..., split: ..., kind: ...}");
}

OpenedData open_data(const DataChoice& choice, Session& session) {
  OpenedData opened;
  opened.task = chosen_task(choice, session);
  experiments::Task& task = opened.task;
  if (task.dataset.empty()) {
    opened.dataset = datasets::open_data_path(task.data, session.console, task.columns, session.places.cache_dir());
  } else {
    opened.dataset = datasets::DatasetRegistry::instance().open(task.dataset, session.places.data_roots(),
                                                                session.places.cache_dir(), session.console);
  }
  // A data set without a task is called after itself and the rule of its split, as in a run's table.
  if (task.name.empty()) task.name = experiments::name_of_split(opened.dataset.name, task.split);
  if (task.target.empty()) task.target = experiments::usual_target(opened.dataset).value_or("label");
  if (task.target == "label")
    if (const std::string note = datasets::note_on_ties(opened.dataset); !note.empty())
      session.console.info(fmt::format("{}: {}", opened.dataset.name, note));
  const bool has_target = opened.dataset.targets.contains(task.target);
  // Labels that may be none need not make a split: an audit lists them, a run asks before it comes here. A split that
  // was asked for is looked at all the same.
  const bool doubtful = task.dataset.empty() && has_target && datasets::doubt_about(opened.dataset.target(task.target));
  if (doubtful && !choice.split.any())
    opened.split = opened.dataset.official;
  else if (doubtful)
    opened.split = asked_split(task, opened.dataset, session);
  else if (has_target || !choice.target.empty() || !choice.task.empty())
    opened.split = experiments::resolve_split(task, opened.dataset);
  else
    opened.split = opened.dataset.official;
  return opened;
}

}  // namespace vise::cli
