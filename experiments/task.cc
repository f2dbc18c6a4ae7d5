#include "experiments/task.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/text.h"
#include "base/yaml.h"

namespace vise {
namespace {

const std::vector<std::string> kTaskKeys{"title",    "dataset", "target",   "metric",  "split", "backbones",
                                         "baseline", "probes",  "citation", "licence", "notes", "groups"};
const std::vector<std::string> kSplitKeys{"kind", "shares", "group", "val_from_train"};
const std::vector<std::string> kSplitKinds{"official", "stratified", "grouped"};

std::string text_of(const YamlFile& file, const std::string& key, const std::string& otherwise) {
  if (!file.root().contains(key)) return otherwise;
  const Json& value = file.root()[key];
  if (!value.is_string()) file.fail("/" + key, fmt::format("'{}' must be a text", key));
  return value.get<std::string>();
}

std::vector<std::string> list_of(const YamlFile& file, const std::string& key) {
  std::vector<std::string> list;
  if (!file.root().contains(key)) return list;
  const Json& value = file.root()[key];
  if (!value.is_array()) file.fail("/" + key, fmt::format("'{}' must be a list: [a, b]", key));
  for (const Json& element : value) {
    if (!element.is_string()) file.fail("/" + key, fmt::format("'{}' must hold texts only", key));
    list.push_back(element.get<std::string>());
  }
  return list;
}

SplitRule split_of(const YamlFile& file) {
  SplitRule rule;
  if (!file.root().contains("split")) return rule;
  file.expect_keys("/split", kSplitKeys);
  const Json& split = file.root()["split"];
  if (split.contains("kind")) rule.kind = split["kind"].is_string() ? split["kind"].get<std::string>() : "";
  if (std::find(kSplitKinds.begin(), kSplitKinds.end(), rule.kind) == kSplitKinds.end())
    file.fail("/split/kind", fmt::format("unknown split '{}'", rule.kind), suggest(rule.kind, kSplitKinds));
  if (split.contains("shares")) {
    const Json& shares = split["shares"];
    if (!shares.is_array() || shares.size() != 3 ||
        !std::all_of(shares.begin(), shares.end(), [](const Json& s) { return s.is_number(); }))
      file.fail("/split/shares", "'shares' must be three numbers: train, val, test");
    for (std::size_t i = 0; i < 3; ++i) rule.shares[i] = shares[i].get<double>();
    const double sum = rule.shares[0] + rule.shares[1] + rule.shares[2];
    if (std::abs(sum - 1) > 1e-9 || *std::min_element(rule.shares.begin(), rule.shares.end()) < 0)
      file.fail("/split/shares", fmt::format("the shares add up to {}, not to 1", number(sum)));
  }
  if (split.contains("group")) rule.group = split["group"].is_string() ? split["group"].get<std::string>() : "";
  if (split.contains("val_from_train")) {
    if (!split["val_from_train"].is_number()) file.fail("/split/val_from_train", "must be a share between 0 and 1");
    rule.val_from_train = split["val_from_train"].get<double>();
  }
  if (rule.kind == "grouped" && rule.group.empty())
    file.fail("/split", "a grouped split needs 'group': the attribute that holds groups together");
  return rule;
}

}  // namespace

Task parse_task(const std::string& yaml, const std::string& name, const std::string& file_for_messages) {
  const YamlFile file = YamlFile::parse(yaml, file_for_messages);
  file.expect_keys("", kTaskKeys);
  Task task;
  task.name = name;
  task.title = text_of(file, "title", name);
  task.dataset = text_of(file, "dataset", "");
  if (task.dataset.empty()) file.fail("", "a task needs 'dataset'", "vise-eval list datasets shows them");
  task.target = text_of(file, "target", "label");
  task.metric = text_of(file, "metric", "");
  task.split = split_of(file);
  task.backbones = list_of(file, "backbones");
  task.baseline = text_of(file, "baseline", "");
  task.probes = list_of(file, "probes");
  task.citation = text_of(file, "citation", "");
  task.licence = text_of(file, "licence", "");
  task.notes = list_of(file, "notes");
  task.groups = list_of(file, "groups");
  return task;
}

TaskLibrary::TaskLibrary(const std::vector<Path>& include_paths) {
  for (const auto& [name, yaml] : builtin_task_files()) tasks_[name] = parse_task(yaml, name, name + ".yaml");
  for (const Path& folder : include_paths) {
    std::error_code error;
    if (!std::filesystem::is_directory(folder, error))
      throw Error(ErrorKind::missing, fmt::format("--include-path {}: there is no such folder", folder.string()));
    for (const auto& entry : std::filesystem::directory_iterator(folder))
      if (entry.path().extension() == ".yaml" || entry.path().extension() == ".yml")
        tasks_[entry.path().stem().string()] =
            parse_task(read_text_file(entry.path(), 1 << 20), entry.path().stem().string(), entry.path().string());
  }
}

std::vector<std::string> TaskLibrary::names() const {
  std::vector<std::string> names;
  for (const auto& [name, task] : tasks_) names.push_back(name);
  return names;
}

const Task& TaskLibrary::find(const std::string& name) const {
  const auto found = tasks_.find(name);
  if (found == tasks_.end())
    throw Error(ErrorKind::usage, fmt::format("unknown task '{}'", name),
                suggest(name, names()) + "; a folder or a manifest of your own is --data PATH");
  return found->second;
}

std::vector<Task> TaskLibrary::expand(const std::string& name_or_group) const {
  if (tasks_.contains(name_or_group)) return {tasks_.at(name_or_group)};
  std::vector<Task> members;
  for (const auto& [name, task] : tasks_)
    if (std::find(task.groups.begin(), task.groups.end(), name_or_group) != task.groups.end()) members.push_back(task);
  if (members.empty()) return {find(name_or_group)};  // throws with the nearest name
  return members;
}

}  // namespace vise
