#include "experiments/task.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "base/yaml.h"
#include "datasets/data_columns.h"
#include "probes/evaluate.h"

namespace vise::experiments {
namespace {

const std::vector<std::string> kTaskKeys{"title",  "dataset",  "data",      "columns",   "target",   "metric",
                                         "split",  "where",    "agreement", "backbones", "baseline", "protocol",
                                         "probes", "citation", "licence",   "notes",     "groups",   "kind"};
const std::vector<std::string> kColumnKeys{"path", "label", "split", "kind"};

// Published protocols by the names that PROTOCOL gives them, as probes of ours; docs/probes.md says what each presets.
const std::map<std::string, std::string>& protocols() {
  static const std::map<std::string, std::string> presets{{"clip_logreg", "logreg,preset=clip"},
                                                          {"dinov2_logreg", "logreg,preset=dinov2-logreg"},
                                                          {"knn", "knn,preset=dinov2-knn"},
                                                          {"logreg", "logreg"},
                                                          {"ridge", "ridge"},
                                                          {"vissl_svm_voc", "liblinear,preset=vissl-svm"},
                                                          {"vpt_linear", "head,preset=vpt-linear"}};
  return presets;
}

// The text under a key of the file; another type is an error with its line.
std::string text_of(const YamlFile& file, const std::string& key, const std::string& otherwise) {
  if (!file.root().contains(key)) return otherwise;
  const Json& value = file.root()[key];
  if (!value.is_string()) file.fail("/" + key, fmt::format("'{}' must be a text", key));
  return value.get<std::string>();
}

// `map` is the value at `pointer`.
std::vector<std::string> list_of(const YamlFile& file, const Json& map, const std::string& pointer,
                                 const std::string& key) {
  std::vector<std::string> list;
  if (!map.contains(key)) return list;
  const Json& value = map[key];
  const std::string here = pointer + "/" + key;
  if (!value.is_array()) file.fail(here, fmt::format("'{}' must be a list: [a, b]", key));
  for (const Json& element : value) {
    if (!element.is_string()) file.fail(here, fmt::format("'{}' must hold texts only", key));
    list.push_back(element.get<std::string>());
  }
  return list;
}

// `columns: {path: image_id, label: emotion}` of the file's `data`.
datasets::DataColumns columns_of(const YamlFile& file) {
  datasets::DataColumns columns;
  if (!file.root().contains("columns")) return columns;
  if (!file.root().contains("data")) file.fail("/columns", "'columns' are those of 'data', and there is none");
  file.expect_keys("/columns", kColumnKeys);
  const Json& map = file.root()["columns"];
  for (const auto& [key, to] : {std::pair("path", &columns.path), std::pair("label", &columns.label),
                                std::pair("split", &columns.split), std::pair("kind", &columns.kind)}) {
    if (!map.contains(key)) continue;
    if (!map[key].is_string()) file.fail(fmt::format("/columns/{}", key), fmt::format("'{}' must be a text", key));
    *to = map[key].get<std::string>();
  }
  if (!columns.kind.empty() && columns.kind != "classes" && columns.kind != "values")
    file.fail("/columns/kind", fmt::format("labels of the kind '{}'", columns.kind), "classes or values");
  return columns;
}

// `protocol` in words is `probes` in ours; a task says one or the other.
void read_probes(const YamlFile& file, Task& task) {
  task.probes = list_of(file, file.root(), "", "probes");
  task.protocol = text_of(file, "protocol", "");
  if (task.protocol.empty()) return;
  if (!task.probes.empty()) file.fail("/probes", "'protocol' and 'probes' exclude each other");
  const auto found = protocols().find(task.protocol);
  if (found == protocols().end()) {
    std::vector<std::string> known;
    for (const auto& [name, probe] : protocols()) known.push_back(name);
    file.fail("/protocol", fmt::format("unknown protocol '{}'", task.protocol), suggest(task.protocol, known));
  }
  task.probes = {found->second};
}

// The target's kind isn't known before the data is open, so any kind's metric passes here.
void check_metric(const YamlFile& file, const std::string& metric) {
  if (metric.empty()) return;
  std::vector<std::string> known;
  for (const datasets::TargetKind kind : {datasets::TargetKind::classes, datasets::TargetKind::multi_label,
                                          datasets::TargetKind::distribution, datasets::TargetKind::values})
    // Two numbers of classes between them have every metric's name.
    for (const std::size_t classes : {2, 10})
      for (std::string& name : probes::metric_names(kind, classes)) known.push_back(std::move(name));
  std::sort(known.begin(), known.end());
  known.erase(std::unique(known.begin(), known.end()), known.end());
  if (!std::binary_search(known.begin(), known.end(), metric))
    file.fail("/metric", fmt::format("unknown metric '{}'", metric), suggest(metric, known));
}

bool is_yaml(const Path& path) { return path.extension() == ".yaml" || path.extension() == ".yml"; }

// The file is kept with the task, so that a plan can name it by its path.
Task read_task(const Path& path) {
  Task task = parse_task(read_text_file(path, 1 << 20), path.stem().string(), path.string());
  task.file = path;
  return task;
}

}  // namespace

// One YAML file, key by key. Unknown keys are refused first: a misspelt `split` would otherwise be the default split
// in silence.
Task parse_task(const std::string& yaml, const std::string& name, const std::string& file_for_messages) {
  const YamlFile file = YamlFile::parse(yaml, file_for_messages);
  file.expect_keys("", kTaskKeys);
  Task task;
  task.name = name;
  task.title = text_of(file, "title", name);
  task.dataset = text_of(file, "dataset", "");
  task.data = text_of(file, "data", "");
  if (task.dataset.empty() == task.data.empty())
    file.fail("", task.data.empty() ? "a task needs 'dataset' or 'data'" : "'dataset' and 'data' exclude each other",
              "dataset: a name that vise-eval list datasets shows; data: a folder or a manifest");
  // Relative to the task's file, which usually is beside its data.
  if (task.data.is_relative() && !task.data.empty())
    task.data = (Path(file_for_messages).parent_path() / task.data).lexically_normal();
  task.columns = columns_of(file);
  task.target = text_of(file, "target", "label");
  task.metric = text_of(file, "metric", "");
  check_metric(file, task.metric);
  task.split = parse_split(file, "/split", Path(file_for_messages).parent_path());
  task.where = text_of(file, "where", "");
  if (file.root().contains("agreement")) {
    const Json& share = file.root()["agreement"];
    if (!share.is_number() || share.get<double>() < 0 || share.get<double>() > 1)
      file.fail("/agreement", "must be a share between 0 and 1");
    task.agreement = share.get<double>();
  }
  task.backbones = list_of(file, file.root(), "", "backbones");
  task.baseline = text_of(file, "baseline", "");
  read_probes(file, task);
  task.citation = text_of(file, "citation", "");
  task.licence = text_of(file, "licence", "");
  task.notes = list_of(file, file.root(), "", "notes");
  task.groups = list_of(file, file.root(), "", "groups");
  task.kind = text_of(file, "kind", "");
  return task;
}

std::string base_task_name(const Task& task) {
  const std::string suffix = fmt::format(".{}", task.split.number);
  return task.split.number > 0 && task.name.ends_with(suffix) ? task.name.substr(0, task.name.size() - suffix.size())
                                                              : task.name;
}

// One split of several has its number in its name, as the tables and files that it fills must differ.
std::string name_of_split(const std::string& name, const SplitRule& rule) {
  const bool several = rule.kind == "folds"       ? rule.folds > 1
                       : rule.kind == "attribute" ? rule.attributes.size() > 1
                                                  : rule.draws > 1;
  return several && rule.number > 0 ? fmt::format("{}.{}", name, rule.number) : name;
}

// Several folds, official splits or draws become a task each, "name.1", "name.2" ...: everything
// downstream knows one split a task, and reports put them together again.
std::vector<Task> one_task_a_split(const Task& task) {
  const SplitRule& rule = task.split;
  if (rule.number > 0) return {task};
  const bool by_fold = rule.kind == "folds", by_attribute = rule.kind == "attribute";
  const int splits = by_fold          ? rule.folds
                     : by_attribute   ? static_cast<int>(rule.attributes.size())
                     : rule.draws > 1 ? rule.draws
                                      : 0;
  if (splits == 0) return {task};
  const std::string_view what = by_fold ? "fold" : by_attribute ? "split" : "draw";
  std::vector<Task> tasks(static_cast<std::size_t>(splits), task);
  for (int i = 0; i < splits; ++i) {
    Task& one = tasks[static_cast<std::size_t>(i)];
    one.split.number = i + 1;
    // One fold or one draw keeps the plain name.
    if (splits == 1) break;
    if (!task.name.empty()) one.name = fmt::format("{}.{}", task.name, i + 1);
    one.title = fmt::format("{}, {} {} of {}", task.title, what, i + 1, splits);
  }
  return tasks;
}

// Built-in tasks are embedded in the program, so that an installed binary needs no folder of its own.
TaskLibrary::TaskLibrary(const std::vector<Path>& include_paths) {
  for (const auto& [name, yaml] : builtin_task_files()) tasks_[name] = parse_task(yaml, name, name + ".yaml");
  for (const Path& folder : include_paths) {
    std::error_code error;
    if (!std::filesystem::is_directory(folder, error))
      throw Error(ErrorKind::missing, fmt::format("--include-path {}: there is no such folder", folder.string()));
    for (const auto& entry : std::filesystem::directory_iterator(folder))
      // A user's file of the same name replaces the built-in task.
      if (is_yaml(entry.path())) tasks_[entry.path().stem().string()] = read_task(entry.path());
  }
}

std::vector<std::string> TaskLibrary::names() const {
  std::vector<std::string> names;
  for (const auto& [name, task] : tasks_) names.push_back(name);
  return names;
}

std::vector<std::string> TaskLibrary::groups() const {
  std::set<std::string> groups;
  for (const auto& [name, task] : tasks_) groups.insert(task.groups.begin(), task.groups.end());
  return {groups.begin(), groups.end()};
}

const Task& TaskLibrary::find(const std::string& name) const {
  const auto found = tasks_.find(name);
  if (found != tasks_.end()) return found->second;
  std::vector<std::string> known = names();
  for (std::string& group : groups()) known.push_back(std::move(group));
  throw Error(ErrorKind::usage, fmt::format("unknown task '{}'", name),
              suggest(name, known) + "; a folder or a manifest of your own is --data PATH");
}

// By name, by group, by a fold's own name or by file; a name that is none of them is an error with the nearest.
std::vector<Task> TaskLibrary::expand(const std::string& name_or_group) const {
  if (is_yaml(name_or_group)) return one_task_a_split(read_task(name_or_group));
  std::vector<Task> members;
  for (const auto& [name, task] : tasks_) {
    const bool is_member =
        name == name_or_group || std::find(task.groups.begin(), task.groups.end(), name_or_group) != task.groups.end();
    for (Task& one : one_task_a_split(task))
      if (is_member || one.name == name_or_group) members.push_back(std::move(one));
  }
  if (members.empty()) find(name_or_group);  // throws with the nearest name
  return members;
}

// A person's own data are often small, so val and test get twice the share that SplitRule's default gives them.
Task task_for_data(const Path& path, const std::string& target, const datasets::DataColumns& columns) {
  Task task;
  task.title = path.filename().string();
  task.data = path;
  task.target = target;
  task.columns = columns;
  task.split.shares = {0.6, 0.2, 0.2};
  return task;
}

}  // namespace vise::experiments
