// A task: which data set, which of its labels, how it is split, what is measured, and what is compared by default.
//
// One YAML file a task (docs/formats/task.md). The files in experiments/tasks/ are embedded in the binary; a folder
// given with --include-path adds the user's, which win over built-in ones of the same name.
//
//   const TaskLibrary tasks(include_paths);
//   const Task task = tasks.find("emotion");
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"

namespace vise {

// How items are divided when the data set has no official split, or when the task asks for another.
struct SplitRule {
  std::string kind = "official";                // "official" (falls back to stratified), "stratified", "grouped"
  std::array<double, 3> shares{0.8, 0.1, 0.1};  // train, val, test
  std::string group;                            // the attribute that holds groups together
  double val_from_train = 0.2;                  // share of train taken as val where an official split has none
};

struct Task {
  std::string name, title;
  std::string dataset;  // in the registry; empty where `data` is read
  Path data;            // a folder or a manifest of the user's
  std::string target = "label";
  std::string metric;  // the primary one; empty: the target kind's own
  std::string where;   // only items that meet this condition (datasets/sampling.h); the split is that of all items
  SplitRule split;
  std::vector<std::string> backbones;  // defaults
  std::string baseline;
  std::vector<std::string> probes;
  std::string citation, licence;
  std::vector<std::string> notes;   // footnotes of its tables
  std::vector<std::string> groups;  // "subjective", "smoke", ...
};

class TaskLibrary {
 public:
  // Error{input} with file and line for a bad YAML file in `include_paths`.
  explicit TaskLibrary(const std::vector<Path>& include_paths = {});

  std::vector<std::string> names() const;
  // Error{usage} with the nearest name.
  const Task& find(const std::string& name) const;
  // The task of that name, or every task of that group.
  std::vector<Task> expand(const std::string& name_or_group) const;

 private:
  std::map<std::string, Task> tasks_;
};

// Error{input} with the line for an unknown key or value. `name` is the file's stem.
Task parse_task(const std::string& yaml, const std::string& name, const std::string& file_for_messages);

// The built-in files: name -> YAML text. Generated at build time from experiments/tasks/*.yaml.
const std::map<std::string, std::string>& builtin_task_files();

}  // namespace vise
