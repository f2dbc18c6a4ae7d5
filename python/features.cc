// Data sets, features and runs for Python: the program's cache and places (experiments/places.h), no program.
#include <fmt/format.h>
#include <pybind11/stl.h>

#include <cstdlib>

#include "base/error.h"
#include "datasets/dataset.h"
#include "datasets/open_data.h"
#include "experiments/places.h"
#include "experiments/runner.h"
#include "experiments/task.h"
#include "experiments/task_run.h"
#include "extract/features/features.h"
#include "python/arrays.h"
#include "python/bind.h"
#include "python/long_call.h"

namespace vise::python {
namespace {

// A value of the dict that vise_eval/ hands over, which has every key: defaults are decided there, in one place.
template <typename T>
T setting(const py::dict& settings, const char* name) {
  return settings[name].cast<T>();
}

// The room beside cli/ that may read the environment, and hands it to those below as a function.
std::string environment(const char* name) {
  const char* const value = std::getenv(name);
  return value ? value : "";
}

// Where the program would look, with what the Python call says instead put first.
experiments::Places places_of(const py::dict& settings) {
  experiments::Places places;
  places.environment = environment;
  places.cache = setting<std::string>(settings, "cache");
  places.weights = setting<std::vector<std::string>>(settings, "weights");
  places.data = setting<std::vector<std::string>>(settings, "data");
  places.offline = setting<bool>(settings, "offline");
  places.on_bad_image = setting<std::string>(settings, "on_bad_image");
  if (places.on_bad_image != "fail" && places.on_bad_image != "skip")
    throw Error(ErrorKind::usage, fmt::format("on_bad_image: '{}'", places.on_bad_image), "\"fail\" or \"skip\"");
  return places;
}

// Files anywhere on the disk as a data set: ids are their absolute paths below the root "/", so that features of one
// file are found again whatever the list is.
datasets::Dataset dataset_of_paths(const std::vector<std::string>& paths) {
  datasets::Dataset dataset;
  dataset.name = "paths";
  dataset.root = "/";
  for (const std::string& path : paths)
    dataset.ids.push_back(std::filesystem::absolute(path).lexically_normal().relative_path().string());
  dataset.check();
  return dataset;
}

// A task by its name, or what `--data` takes.
datasets::Dataset open_dataset_of(const std::string& what, bool is_task, const py::dict& settings,
                                  const py::object& progress) {
  experiments::RunRequest request;
  places_of(settings).add_to(request);
  std::optional<datasets::Dataset> dataset;
  LongCall(progress, 1).run([&](const Context& context) {
    // A group of tasks has one data set here, its first.
    dataset = is_task ? experiments::open_dataset(experiments::TaskLibrary().expand(what).front(), request, context.log)
                      : datasets::open_data_path(what, context.log);
  });
  return std::move(*dataset);
}

// (kind, names, values) of a target: N class numbers with -1 for unknown, N x K of 1, 0 and -1, or N x T doubles with
// NaN.
py::object targets_of(const datasets::Dataset& dataset, const std::string& name) {
  const datasets::Targets& targets = dataset.target(name);
  const auto rows = static_cast<py::ssize_t>(targets.size()), width = static_cast<py::ssize_t>(targets.width());
  py::object values;
  if (targets.kind() == datasets::TargetKind::classes)
    values = array_of(std::vector<int>(targets.classes().begin(), targets.classes().end()), {rows});
  else if (targets.kind() == datasets::TargetKind::multi_label)
    values =
        array_of(std::vector<std::int8_t>(targets.multi_label().begin(), targets.multi_label().end()), {rows, width});
  else
    values = array_of(std::vector<double>(targets.rows().begin(), targets.rows().end()), {rows, width});
  return py::make_tuple(std::string(datasets::target_kind_name(targets.kind())), targets.names(), values);
}

// The official split as part names, an item each; None where the data have none.
py::object parts_of(const datasets::Dataset& dataset) {
  if (!dataset.official) return py::none();
  std::vector<std::string> parts;
  for (const datasets::Part part : dataset.official->parts()) parts.emplace_back(datasets::part_name(part));
  return py::cast(parts);
}

// The rows of the items that have one, N x D: where the store's rows have their order, they are not copied.
py::array rows_of(const features::Features& features, const std::vector<std::uint32_t>& items) {
  const auto dim = static_cast<py::ssize_t>(features.dim), count = static_cast<py::ssize_t>(items.size());
  std::vector<float> values;
  bool rising = !items.empty();
  for (std::size_t i = 0; i < items.size(); ++i)
    // Rows of a first extraction are stored in the order of the items, the usual case.
    rising = rising && features.rows[items[i]] == features.rows[items[0]] + i;
  if (rising) {
    // The store's mapped rows live as long as an array views them.
    const py::capsule owner(new std::shared_ptr<const features::FeatureMap>(features.map),
                            [](void* p) { delete static_cast<std::shared_ptr<const features::FeatureMap>*>(p); });
    // Other arrays and runs may view the same rows.
    py::array_t<float> view({count, dim}, features.values(items[0]).data(), owner);
    view.attr("setflags")(py::arg("write") = false);
    return view;
  }
  values.reserve(items.size() * features.dim);
  for (const std::uint32_t item : items) {
    const auto row = features.values(item);
    values.insert(values.end(), row.begin(), row.end());
  }
  return array_of(std::move(values), {count, dim});
}

// Everything that Python gets of one tap's features. Items without a row are left out of array, ids and items alike,
// and named in `unreadable`.
py::dict dict_of(const datasets::Dataset& dataset, const features::Features& features) {
  std::vector<std::uint32_t> items;
  py::dict unreadable;
  std::vector<std::string> ids;
  for (std::uint32_t item = 0; item < dataset.size(); ++item) {
    if (const auto bad = features.unreadable.find(item); bad != features.unreadable.end()) {
      unreadable[py::str(dataset.ids[item])] = bad->second;
      continue;
    }
    items.push_back(item);
    ids.push_back(dataset.ids[item]);
  }
  py::dict out;
  out["array"] = rows_of(features, items);
  out["ids"] = ids;
  out["items"] = array_of(std::move(items), {static_cast<py::ssize_t>(ids.size())});
  out["unreadable"] = unreadable;
  out["folder"] = features.folder.string();
  out["layer"] = features.tap.layer;
  out["pool"] = features.tap.pool;
  out["notes"] = features.notes;
  out["computed"] = features.computed;
  return out;
}

py::list extract(const datasets::Dataset& dataset, const std::string& backbone, const py::dict& settings,
                 const py::object& progress, int threads) {
  features::FeatureRequest request{.backbone = features::parse_backbone(backbone),
                                   .precision = networks::parse_precision(setting<std::string>(settings, "precision")),
                                   .taps = {},
                                   .views = images::parse_views(setting<std::string>(settings, "views")),
                                   .storage = features::parse_storage(setting<std::string>(settings, "storage")),
                                   .device = networks::parse_device(setting<std::string>(settings, "device"))};
  for (const auto& [layer, pool] : setting<std::vector<std::pair<std::string, std::string>>>(settings, "taps"))
    request.taps.push_back({layer, pool});
  const features::ExtractOptions options = places_of(settings).extract_options();
  // Filled on the work's thread and turned into Python's objects on this one, which holds the GIL.
  std::vector<features::Features> all;
  LongCall(progress, threads).run([&](const Context& context) {
    all = features::extract_features(dataset, {request}, options, context);
  });
  py::list out;
  for (const features::Features& features : all) out.append(dict_of(dataset, features));
  return out;
}

// The results are in `out` afterwards, where table_of_runs() finds them.
py::dict run_task(const std::string& task, bool is_path, const std::string& out, const py::dict& settings,
                  const py::object& progress, int threads) {
  experiments::RunRequest request;
  // A path is a data set of one's own, anything else a task or a group of tasks by name.
  request.tasks = is_path ? std::vector{experiments::task_for_data(task, "")} : experiments::TaskLibrary().expand(task);
  request.backbones = setting<std::vector<std::string>>(settings, "backbones");
  request.probes = setting<std::vector<std::string>>(settings, "probes");
  request.baseline = setting<std::string>(settings, "baseline");
  request.precision = networks::parse_precision(setting<std::string>(settings, "precision"));
  request.seeds = setting<int>(settings, "seeds");
  request.out = out;
  places_of(settings).add_to(request);
  experiments::RunOutcome outcome;
  LongCall(progress, threads).run([&](const Context& context) { outcome = experiments::run(request, context); });
  py::dict counts;
  counts["fitted"] = outcome.fitted;
  counts["reused"] = outcome.reused;
  counts["failed"] = outcome.failed;
  counts["baselines"] = py::cast(outcome.baselines);
  return counts;
}

}  // namespace

void bind_features(py::module_& core) {
  // Python calls it DatasetFiles: it has no pixels, only where they are and what is known of them.
  py::class_<datasets::Dataset>(core, "DatasetFiles")
      .def_readonly("name", &datasets::Dataset::name)
      .def_readonly("ids", &datasets::Dataset::ids)
      .def_readonly("notes", &datasets::Dataset::notes)
      .def_property_readonly("root", [](const datasets::Dataset& d) { return d.root.string(); })
      .def_property_readonly("target_names",
                             [](const datasets::Dataset& d) {
                               std::vector<std::string> names;
                               for (const auto& [name, targets] : d.targets) names.push_back(name);
                               return names;
                             })
      .def_property_readonly("parts", &parts_of)
      .def("target", &targets_of);
  core.def("dataset_of_paths", &dataset_of_paths);
  core.def("open_dataset", &open_dataset_of);
  core.def("extract", &extract);
  core.def("run_task", &run_task);
}

}  // namespace vise::python
