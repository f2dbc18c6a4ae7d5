#include "experiments/study.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "base/yaml.h"
#include "datasets/data_columns.h"

namespace vise::experiments {
namespace {

const std::vector<std::string> kStudyKeys{
    "study",     "title",      "tasks",        "backbones",     "baseline",     "probes",    "seeds", "shots",
    "fractions", "layers",     "pools",        "engine",        "precision",    "device",    "views", "store",
    "where",     "data_roots", "weights_dirs", "include_paths", "on_bad_image", "max_pixels"};
const std::vector<std::string> kColumnKeys{"path", "label", "split", "kind"};
const std::vector<std::string> kEntryKeys{"task",  "data",      "columns",  "name",   "target", "where",
                                          "split", "backbones", "baseline", "probes", "kind"};

// One file for two directions: StudyReader reads a study into a request, study_yaml() at the end writes a request as
// a study with nothing left to defaults.

// Reads a study's YAML into the request that the command line makes too: whatever can be said in
// one can be said in the other, and run() knows no third form.
class StudyReader {
 public:
  StudyReader(const YamlFile& file, Path folder, const std::vector<Path>& include_paths)
      : file_(file), folder_(std::move(folder)) {
    std::vector<Path> folders = paths("/include_paths");
    folders.insert(folders.end(), include_paths.begin(), include_paths.end());
    library_.emplace(folders);
  }

  // Keys are checked first, so that a misspelt one is reported before anything is looked for on disk.
  RunRequest read() {
    file_.expect_keys("", kStudyKeys);
    if (number_at("/study", 1, 1, 1000) != 1)
      file_.fail("/study", "this program knows version 1 of study files", "write study: 1");
    RunRequest request;
    read_tasks(request);
    request.backbones = backbones("/backbones");
    request.baseline = text("/baseline");
    request.probes = texts("/probes");
    request.seeds = static_cast<int>(number_at("/seeds", 1, 1, 10000));
    read_samples(request);
    read_features(request);
    request.data_roots = paths("/data_roots");
    request.extract.weights.folders = paths("/weights_dirs");
    if (const std::string policy = text("/on_bad_image"); policy == "skip")
      request.extract.on_bad_image = features::BadImagePolicy::skip;
    else if (!policy.empty() && policy != "fail")
      file_.fail("/on_bad_image", "one of fail and skip is needed here");
    request.extract.max_pixels = static_cast<std::uint64_t>(
        number_at("/max_pixels", static_cast<std::int64_t>(request.extract.max_pixels), 1, INT64_MAX));
    return request;
  }

 private:
  const Json* find(const std::string& pointer) const {
    const Json::json_pointer place(pointer);
    return file_.root().contains(place) ? &file_.root().at(place) : nullptr;
  }

  std::string text(const std::string& pointer) const {
    const Json* const value = find(pointer);
    if (!value) return {};
    if (!value->is_string()) file_.fail(pointer, "a text is needed here");
    return value->get<std::string>();
  }

  // A list, or one value that stands for a list of one; numbers as they would be typed.
  std::vector<std::string> texts(const std::string& pointer) const {
    const Json* const value = find(pointer);
    if (!value) return {};
    std::vector<std::string> list;
    for (const Json& element : value->is_array() ? *value : Json::array({*value})) {
      if (!element.is_string() && !element.is_number())
        file_.fail(pointer, "a list of texts or numbers is needed here");
      // YAML makes numbers of 0.1 and 5; options take them as they would be typed.
      list.push_back(element.is_string() ? element.get<std::string>() : number(element.get<double>()));
    }
    if (list.empty()) file_.fail(pointer, "the list is empty");
    return list;
  }

  // A whole number at a pointer, or `fallback` where nothing is there; out of its range it is an error with its line.
  std::int64_t number_at(const std::string& pointer, std::int64_t fallback, std::int64_t low, std::int64_t high) const {
    const Json* const value = find(pointer);
    if (!value) return fallback;
    if (!value->is_number_integer() || value->get<std::int64_t>() < low || value->get<std::int64_t>() > high)
      file_.fail(pointer, fmt::format("a whole number from {} to {} is needed here", low, high));
    return value->get<std::int64_t>();
  }

  // Relative to the study's file and not to where the program is started, so a study
  // can be run from anywhere.
  Path path(const std::string& text) const { return (folder_ / text).lexically_normal(); }
  std::vector<Path> paths(const std::string& pointer) const {
    std::vector<Path> list;
    for (const std::string& text : texts(pointer)) list.push_back(path(text));
    return list;
  }

  // NAME=FILE: the file is relative to the study's folder, as every path here.
  std::vector<std::string> backbones(const std::string& pointer) const {
    std::vector<std::string> list = texts(pointer);
    for (std::string& backbone : list) {
      const auto equals = backbone.find('='), comma = backbone.find(',');
      if (equals == std::string::npos || comma < equals) continue;
      const std::string file = backbone.substr(equals + 1, comma == std::string::npos ? comma : comma - equals - 1);
      backbone.replace(equals + 1, file.size(), path(file).string());
    }
    return list;
  }

  // An element is a task's or group's name, a path of a YAML file, or a map that names one of
  // them or a folder of data and changes parts of it.
  void read_tasks(RunRequest& request) {
    const Json* const list = find("/tasks");
    if (!list || !list->is_array() || list->empty())
      file_.fail(list ? "/tasks" : "", "a study needs 'tasks', a list", "tasks: [emotion, politics]");
    for (std::size_t i = 0; i < list->size(); ++i) {
      const std::string place = fmt::format("/tasks/{}", i);
      if ((*list)[i].is_string())
        add_tasks((*list)[i].get<std::string>(), place, request);
      else
        add_entry(place, request);
    }
    for (Task& task : request.tasks)
      if (task.condition.empty()) task.condition = text("/where");
  }

  // `only`: of several, as a task of folds is, the one of that name.
  std::size_t add_tasks(const std::string& name, const std::string& place, RunRequest& request,
                        const std::string& only = {}) const {
    try {
      std::vector<Task> tasks = library_->expand(name.ends_with(".yaml") ? path(name).string() : name);
      // A plan names each fold's task by itself, and its file expands to all of them.
      if (!only.empty()) std::erase_if(tasks, [&](const Task& task) { return task.name != only; });
      if (tasks.empty()) file_.fail(place, fmt::format("'{}' has no task '{}'", name, only));
      request.tasks.insert(request.tasks.end(), tasks.begin(), tasks.end());
      return tasks.size();
    } catch (const Error& e) {
      file_.fail(place, e.message(), e.hint());
    }
  }

  datasets::DataColumns columns(const std::string& place) const {
    if (!find(place)) return {};
    file_.expect_keys(place, kColumnKeys);
    return {text(place + "/path"), text(place + "/label"), text(place + "/split"), text(place + "/kind")};
  }

  // An entry that is a map: which task or data, and what of it is changed. It may expand to several tasks, each of
  // which is changed.
  void add_entry(const std::string& place, RunRequest& request) const {
    file_.expect_keys(place, kEntryKeys);
    const std::string task = text(place + "/task"), data = text(place + "/data"), target = text(place + "/target");
    if (task.empty() == data.empty()) file_.fail(place, "an entry names either a 'task' or 'data'");
    std::size_t added = 1;
    if (data.empty())
      added = add_tasks(task, place + "/task", request, text(place + "/name"));
    else
      request.tasks.push_back(task_for_data(path(data), target, columns(place + "/columns")));
    for (auto each = request.tasks.end() - static_cast<std::ptrdiff_t>(added); each != request.tasks.end(); ++each) {
      if (!target.empty()) each->target = target;
      if (const std::string name = text(place + "/name"); !name.empty() && task.empty()) each->name = name;
      each->condition = text(place + "/where");
      if (find(place + "/split")) each->split = parse_split(file_, place + "/split", folder_);
      if (find(place + "/backbones")) each->backbones = backbones(place + "/backbones");
      if (find(place + "/kind")) each->kind = text(place + "/kind");
      if (find(place + "/baseline")) each->baseline = text(place + "/baseline");
      if (find(place + "/probes")) each->probes = texts(place + "/probes");
    }
  }

  // Parses each text of a list; an error names the place in the file instead of an option.
  template <typename Parse>
  void add_subsets(const std::string& pointer, RunRequest& request, const Parse& parse) const {
    for (const std::string& one : texts(pointer)) {
      try {
        request.subsets.push_back(parse(one));
      } catch (const Error& e) {
        file_.fail(pointer, e.message(), e.hint());
      }
    }
  }

  // Shots and fractions are lists of subsets side by side, not a grid of both.
  void read_samples(RunRequest& request) const {
    request.subsets.clear();
    add_subsets("/shots", request, parse_shots);
    add_subsets("/fractions", request, parse_fraction);
    if (request.subsets.empty()) request.subsets = {TrainSubset{}};
  }

  // Names of engines and the like, by the functions that read options.
  template <typename Value, typename Parse>
  void read_name(const std::string& pointer, Value& value, const Parse& parse) const {
    if (!find(pointer)) return;
    try {
      value = parse(text(pointer));
    } catch (const Error& e) {
      file_.fail(pointer, e.message(), e.hint());
    }
  }

  // Taps are the product of layers and pools, as on the command line.
  void read_features(RunRequest& request) const {
    read_name("/engine", request.engine, networks::parse_engine);
    read_name("/precision", request.precision, networks::parse_precision);
    read_name("/device", request.device, networks::parse_device);
    read_name("/views", request.views, images::parse_views);
    read_name("/store", request.storage, features::parse_storage);
    const std::vector<std::string> layers = find("/layers") ? texts("/layers") : std::vector<std::string>{"default"},
                                   pools = find("/pools") ? texts("/pools") : std::vector<std::string>{"default"};
    request.taps.clear();
    for (const std::string& layer : layers)
      for (const std::string& pool : pools) request.taps.push_back({layer, pool});
  }

  const YamlFile& file_;
  const Path folder_;
  std::optional<TaskLibrary> library_;
};

// JSON's texts are YAML's double-quoted ones.
std::string quoted(const std::string& text) { return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string list_yaml(const std::vector<std::string>& texts) {
  std::vector<std::string> parts;
  for (const std::string& text : texts) parts.push_back(quoted(text));
  return fmt::format("[{}]", join(parts, ", "));
}

std::string absolute_text(const Path& path) { return std::filesystem::absolute(path).lexically_normal().string(); }

std::string paths_yaml(const std::vector<Path>& paths) {
  std::vector<std::string> texts;
  for (const Path& path : paths) texts.push_back(absolute_text(path));
  return list_yaml(texts);
}

// The opposite of StudyReader::backbones(): a plan may be read from another folder.
std::vector<std::string> texts_of(const std::vector<features::Backbone>& rows) {
  std::vector<std::string> texts;
  for (const features::Backbone& row : rows) {
    std::string& text = texts.emplace_back(row.text);
    const auto equals = text.find('='), comma = text.find(',');
    if (equals == std::string::npos || comma < equals) continue;
    const std::string file = text.substr(equals + 1, comma == std::string::npos ? comma : comma - equals - 1);
    text.replace(equals + 1, file.size(), absolute_text(file));
  }
  return texts;
}

// An entry's line `columns`, where there is something to say.
std::string columns_yaml(const datasets::DataColumns& columns) {
  std::vector<std::string> parts;
  for (const auto& [key, text] : {std::pair("path", columns.path), std::pair("label", columns.label),
                                  std::pair("split", columns.split), std::pair("kind", columns.kind)})
    if (!text.empty()) parts.push_back(fmt::format("{}: {}", key, quoted(text)));
  return parts.empty() ? std::string() : fmt::format("    columns: {{{}}}\n", join(parts, ", "));
}

std::string task_yaml(const Task& task) {
  std::string yaml;
  if (!task.file.empty())
    yaml = fmt::format("  - task: {}\n    name: {}\n", quoted(absolute_text(task.file)), quoted(task.name));
  else if (task.dataset.empty())
    yaml = fmt::format("  - data: {}\n    name: {}\n", quoted(absolute_text(task.data)), quoted(task.name));
  else
    yaml = fmt::format("  - task: {}\n", quoted(task.name));
  if (task.file.empty()) yaml += columns_yaml(task.columns);
  yaml += fmt::format("    target: {}\n", quoted(task.target));
  if (!task.condition.empty()) yaml += fmt::format("    where: {}\n", quoted(task.condition));
  yaml += fmt::format("    split: {}\n", split_yaml(task.split));
  yaml += fmt::format("    backbones: {}\n", list_yaml(texts_of(task.rows)));
  yaml += fmt::format("    baseline: {}\n", quoted(task.baseline));
  if (!task.kind.empty()) yaml += fmt::format("    kind: {}\n", quoted(task.kind));
  if (!task.probes.empty()) yaml += fmt::format("    probes: {}\n", list_yaml(task.probes));  // else the target's own
  return yaml;
}

// Layers or pools of the taps, each once: their product is the taps again.
template <typename Get>
std::vector<std::string> distinct(const std::vector<features::FeatureTap>& taps, const Get& get) {
  std::vector<std::string> names;
  for (const features::FeatureTap& tap : taps)
    if (std::ranges::count(names, get(tap)) == 0) names.push_back(get(tap));
  return names;
}

// The inverse of read_samples(): all of train is written as a shot, "all".
std::string subsets_yaml(const std::vector<TrainSubset>& subsets) {
  std::vector<std::string> shots, fractions;
  for (const TrainSubset& subset : subsets) {
    if (subset.fraction < 1)
      fractions.push_back(number(subset.fraction));
    else
      shots.push_back(subset.is_all() ? "all" : std::to_string(subset.shots));
  }
  std::string yaml;
  if (!shots.empty()) yaml += fmt::format("shots: [{}]\n", join(shots, ", "));
  if (!fractions.empty()) yaml += fmt::format("fractions: [{}]\n", join(fractions, ", "));
  return yaml;
}

}  // namespace

std::string study_title(const std::string& yaml, const std::string& name) {
  const YamlFile file = YamlFile::parse(yaml, name);
  return file.root().is_object() ? file.root().value("title", name) : name;
}

RunRequest parse_study(const std::string& yaml, const std::string& name_for_messages, const Path& folder,
                       const std::vector<Path>& include_paths) {
  const YamlFile file = YamlFile::parse(yaml, name_for_messages);
  if (!file.root().is_object()) file.fail("", "is not a study: keys and values are needed", "docs/formats/study.md");
  return StudyReader(file, folder, include_paths).read();
}

RunRequest read_study(const Path& path, const std::vector<Path>& include_paths) {
  return parse_study(read_text_file(path, 16 << 20), path.string(), std::filesystem::absolute(path).parent_path(),
                     include_paths);
}

// The plan names everything by its full path and resolved name: a job on another node, or a
// reader months later, runs the same cells by it.
std::string study_yaml(const RunRequest& request) {
  const RunRequest full = resolved(request);
  std::string yaml = "study: 1\ntasks:\n";
  for (const Task& task : full.tasks) yaml += task_yaml(task);
  yaml += fmt::format("seeds: {}\n{}", full.seeds, subsets_yaml(full.subsets));
  yaml += fmt::format("layers: {}\npools: {}\n",
                      list_yaml(distinct(full.taps, [](const features::FeatureTap& t) { return t.layer; })),
                      list_yaml(distinct(full.taps, [](const features::FeatureTap& t) { return t.pool; })));
  yaml += fmt::format("engine: {}\nprecision: {}\ndevice: {}\nviews: {}\nstore: {}\n",
                      networks::engine_name(full.engine.value_or(networks::default_engine(full.device))),
                      networks::precision_name(full.precision), full.device.name(), images::views_name(full.views),
                      features::storage_name(full.storage));
  if (full.extract.on_bad_image == features::BadImagePolicy::skip) yaml += "on_bad_image: skip\n";
  if (full.extract.max_pixels != features::ExtractOptions{}.max_pixels)
    yaml += fmt::format("max_pixels: {}\n", full.extract.max_pixels);
  if (!full.include_paths.empty()) yaml += fmt::format("include_paths: {}\n", paths_yaml(full.include_paths));
  if (!full.data_roots.empty()) yaml += fmt::format("data_roots: {}\n", paths_yaml(full.data_roots));
  if (!full.extract.weights.folders.empty())
    yaml += fmt::format("weights_dirs: {}\n", paths_yaml(full.extract.weights.folders));
  return yaml;
}

}  // namespace vise::experiments
