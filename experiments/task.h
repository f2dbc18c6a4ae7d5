// A task: which data set, which of its labels, how it is split, what is measured, and what is compared by default.
//
// One YAML file a task (docs/formats/task.md). The files in experiments/tasks/ are embedded in the binary; a folder
// given with --include-path adds the user's, which win over built-in ones of the same name. A task of k folds or of
// several official splits is one file and becomes one Task a split when it is expanded: "artphoto.1" ... "artphoto.5".
//
//   const TaskLibrary tasks(include_paths);
//   for (const Task& task : tasks.expand("emotion-all")) ...
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/yaml.h"
#include "datasets/data_columns.h"
#include "datasets/dataset.h"
#include "extract/features/backbone.h"

namespace vise::experiments {

// How items are divided when the data set has no official split, or when the task asks for another.
struct SplitRule {
  // "official" (where the data set has none: grouped by its attribute `group` if the data are the user's own and have
  // one, else stratified), "stratified", "grouped", "folds", "attribute", "file"
  std::string kind = "official";
  std::array<double, 3> shares{0.8, 0.1, 0.1};  // train, val, test
  std::string group;                            // the attribute that holds groups together (grouped, folds)
  Path file;                                    // of kind file: id and part, as a run's splits/ has them
  std::uint64_t seed = 0;                       // of what is drawn
  int draws = 1;                                // several: the split is drawn so often, with seeds `seed`, seed + 1 ...
  double val_from_train = 0.2;                  // share of train taken as val where the split has none
  int folds = 5;                                // of kind folds: each is test once
  std::vector<std::string> attributes;          // of kind attribute: each holds a part's name for every item
  int number = 0;                               // which fold, attribute or draw, from 1; 0 before expand()
  bool asked = false;                           // by the command line: not what an earlier run of the folder had
  bool by_name = false;                         // drawn as up to 0.1, by the task's name (draws.h)
};

struct Task {
  std::string name, title;
  std::string dataset;            // in the registry; empty when `data` or --data names a path
  Path data;                      // a folder or manifest, absolute or as the file's own folder has it
  datasets::DataColumns columns;  // of `data`
  Path file;                      // that describes it, where it isn't built in
  std::string target = "label";
  std::string metric;  // the primary one; empty: the target kind's own
  SplitRule split;
  std::string where;                   // items that don't meet it are unused: "agreement=five" (sampling.h)
  double agreement = 0;                // so are items of whose votes less than this share went to one class
  std::string condition;               // of a run (--where): items that don't meet it are left out after the split
  std::vector<std::string> backbones;  // as on the command line, in the order of the table; resolved() makes rows of it
  std::vector<features::Backbone> rows;  // what is run, the baseline among them; empty until resolved()
  std::string baseline;                  // as one of `backbones`; of resolved(): the name of one of `rows`
  std::string protocol;                  // the preset that `probes` come from, or empty
  std::vector<std::string> probes;       // as on the command line: "logreg,preset=clip"
  std::string citation, licence;
  std::vector<std::string> notes;   // footnotes of its tables
  std::vector<std::string> groups;  // "subjective", "smoke", ...
  std::string kind;                 // what a study over tasks compares: "subjective", "control", ...; empty: none
};

class TaskLibrary {
 public:
  // Error{input} with file and line for a bad YAML file in `include_paths`.
  explicit TaskLibrary(const std::vector<Path>& include_paths = {});

  std::vector<std::string> names() const;
  // Error{usage} with the nearest name.
  const Task& find(const std::string& name) const;
  // The names of groups, sorted.
  std::vector<std::string> groups() const;
  // The task of that name, every task of that group, or the task in that .yaml file; one Task a split.
  std::vector<Task> expand(const std::string& name_or_group) const;

 private:
  std::map<std::string, Task> tasks_;
};

// One Task a fold, official split or draw, "NAME.1" ...; the task itself where it has one split. A task without a name,
// which gets its data's, keeps none.
std::vector<Task> one_task_a_split(const Task& task);

// Error{input} with the line for an unknown key or value. `name` is the file's stem; `data` is taken from the folder
// of `file_for_messages`.
Task parse_task(const std::string& yaml, const std::string& name, const std::string& file_for_messages);

// The task that --data PATH stands for. Its name is empty: a run takes the data set's; so with an empty target. Split:
// official, or stratified 60/20/20.
Task task_for_data(const Path& path, const std::string& target, const datasets::DataColumns& columns = {});

// "artphoto" of "artphoto.3", third of five.
std::string base_task_name(const Task& task);
// "omi300/happy" or, where it has several splits, "omi300/happy.2".
std::string name_of_split(const std::string& name, const SplitRule& rule);

// The value of `split` at that place of a YAML file, as parse_task() reads it. Its `file` is relative to `folder`.
SplitRule parse_split(const YamlFile& file, const std::string& pointer, const Path& folder);
// The rule as such a value, on one line, with every part that isn't the default's; its file absolute.
std::string split_yaml(const SplitRule& rule);

// The built-in files: name -> YAML text. Generated at build time from experiments/tasks/*.yaml.
const std::map<std::string, std::string>& builtin_task_files();

}  // namespace vise::experiments
