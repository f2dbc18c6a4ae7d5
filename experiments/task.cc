#include "experiments/task.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "base/yaml.h"
#include "probes/evaluate.h"

namespace vise {
namespace {

const std::vector<std::string> kTaskKeys{"title",  "dataset",  "data",      "columns",   "target",   "metric",
                                         "split",  "where",    "agreement", "backbones", "baseline", "protocol",
                                         "probes", "citation", "licence",   "notes",     "groups"};
const std::vector<std::string> kSplitKeys{"kind", "shares", "group", "val_from_train", "folds", "attributes"};
const std::vector<std::string> kColumnKeys{"path", "label", "split", "kind"};
const std::vector<std::string> kSplitKinds{"official", "stratified", "grouped", "folds", "attribute"};

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

std::string text_of(const YamlFile& file, const std::string& key, const std::string& otherwise) {
  if (!file.root().contains(key)) return otherwise;
  const Json& value = file.root()[key];
  if (!value.is_string()) file.fail("/" + key, fmt::format("'{}' must be a text", key));
  return value.get<std::string>();
}

// `map` is what lies at `pointer`.
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

double share_of(const YamlFile& file, const std::string& pointer, const Json& value) {
  if (!value.is_number() || value.get<double>() < 0 || value.get<double>() > 1)
    file.fail(pointer, "must be a share between 0 and 1");
  return value.get<double>();
}

std::array<double, 3> shares_of(const YamlFile& file, const Json& shares) {
  if (!shares.is_array() || shares.size() != 3)
    file.fail("/split/shares", "'shares' must be three numbers: train, val, test");
  std::array<double, 3> result{};
  for (std::size_t i = 0; i < 3; ++i) result[i] = share_of(file, "/split/shares", shares[i]);
  const double sum = result[0] + result[1] + result[2];
  if (std::abs(sum - 1) > 1e-9)
    file.fail("/split/shares", fmt::format("the shares add up to {}, not to 1", number(sum)));
  return result;
}

SplitRule split_of(const YamlFile& file) {
  SplitRule rule;
  if (!file.root().contains("split")) return rule;
  file.expect_keys("/split", kSplitKeys);
  const Json& split = file.root()["split"];
  if (split.contains("kind")) rule.kind = split["kind"].is_string() ? split["kind"].get<std::string>() : "";
  if (std::find(kSplitKinds.begin(), kSplitKinds.end(), rule.kind) == kSplitKinds.end())
    file.fail("/split/kind", fmt::format("unknown split '{}'", rule.kind), suggest(rule.kind, kSplitKinds));
  if (split.contains("shares")) rule.shares = shares_of(file, split["shares"]);
  if (split.contains("group")) rule.group = split["group"].is_string() ? split["group"].get<std::string>() : "";
  if (split.contains("val_from_train"))
    rule.val_from_train = share_of(file, "/split/val_from_train", split["val_from_train"]);
  if (split.contains("folds")) {
    if (!split["folds"].is_number_integer() || split["folds"] < 2 || split["folds"] > 100)
      file.fail("/split/folds", "'folds' must be a whole number from 2 to 100");
    rule.folds = split["folds"].get<int>();
  }
  if (split.contains("attributes")) rule.attributes = list_of(file, split, "/split", "attributes");
  if (rule.kind == "grouped" && rule.group.empty())
    file.fail("/split", "a grouped split needs 'group': the attribute that holds groups together");
  if (rule.kind == "attribute" && rule.attributes.empty())
    file.fail("/split", "a split by attribute needs 'attributes': those that hold train, val or test for every item");
  return rule;
}

// `columns: {path: image_id, label: emotion}` of the file's `data`.
DataColumns columns_of(const YamlFile& file) {
  DataColumns columns;
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

void check_metric(const YamlFile& file, const std::string& metric) {
  if (metric.empty()) return;
  std::vector<std::string> known;
  for (const TargetKind kind :
       {TargetKind::classes, TargetKind::multi_label, TargetKind::distribution, TargetKind::values})
    for (const std::size_t classes : {2, 10})
      for (std::string& name : metric_names(kind, classes)) known.push_back(std::move(name));
  std::sort(known.begin(), known.end());
  known.erase(std::unique(known.begin(), known.end()), known.end());
  if (!std::binary_search(known.begin(), known.end(), metric))
    file.fail("/metric", fmt::format("unknown metric '{}'", metric), suggest(metric, known));
}

bool is_yaml(const Path& path) { return path.extension() == ".yaml" || path.extension() == ".yml"; }

Task read_task(const Path& path) {
  Task task = parse_task(read_text_file(path, 1 << 20), path.stem().string(), path.string());
  task.file = path;
  return task;
}

}  // namespace

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
  if (task.data.is_relative() && !task.data.empty())
    task.data = (Path(file_for_messages).parent_path() / task.data).lexically_normal();
  task.columns = columns_of(file);
  task.target = text_of(file, "target", "label");
  task.metric = text_of(file, "metric", "");
  check_metric(file, task.metric);
  task.split = split_of(file);
  task.where = text_of(file, "where", "");
  if (file.root().contains("agreement")) task.agreement = share_of(file, "/agreement", file.root()["agreement"]);
  task.backbones = list_of(file, file.root(), "", "backbones");
  task.baseline = text_of(file, "baseline", "");
  read_probes(file, task);
  task.citation = text_of(file, "citation", "");
  task.licence = text_of(file, "licence", "");
  task.notes = list_of(file, file.root(), "", "notes");
  task.groups = list_of(file, file.root(), "", "groups");
  return task;
}

std::vector<Task> one_task_a_split(const Task& task) {
  const bool by_fold = task.split.kind == "folds";
  const int splits = by_fold                          ? task.split.folds
                     : task.split.kind == "attribute" ? static_cast<int>(task.split.attributes.size())
                                                      : 0;
  if (splits == 0) return {task};
  std::vector<Task> tasks(static_cast<std::size_t>(splits), task);
  for (int i = 0; i < splits; ++i) {
    Task& one = tasks[static_cast<std::size_t>(i)];
    one.split.number = i + 1;
    if (splits == 1) break;
    one.name = fmt::format("{}.{}", task.name, i + 1);
    one.title = fmt::format("{}, {} {} of {}", task.title, by_fold ? "fold" : "split", i + 1, splits);
  }
  return tasks;
}

TaskLibrary::TaskLibrary(const std::vector<Path>& include_paths) {
  for (const auto& [name, yaml] : builtin_task_files()) tasks_[name] = parse_task(yaml, name, name + ".yaml");
  for (const Path& folder : include_paths) {
    std::error_code error;
    if (!std::filesystem::is_directory(folder, error))
      throw Error(ErrorKind::missing, fmt::format("--include-path {}: there is no such folder", folder.string()));
    for (const auto& entry : std::filesystem::directory_iterator(folder))
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

}  // namespace vise
