#include "experiments/runner.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/csv.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/npy.h"
#include "base/text.h"
#include "base/version.h"
#include "experiments/split_rule.h"
#include "probes/evaluate.h"

namespace vise {
namespace {

std::string utc_now() {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now())));
}

// A cell with everything that decides its numbers, before it is fitted.
struct PlannedCell {
  Cell cell;
  std::string probe_text;
  const Features* features = nullptr;
  std::string key;
};

// One task with its data set, targets and split, and the features of every backbone.
class TaskRun {
 public:
  TaskRun(const RunRequest& request, Task task, const Context& context)
      : request_(request), context_(context), task_(std::move(task)) {
    dataset_ = task_.dataset.empty() ? open_data_path(request_.data, context_.log)
                                     : DatasetRegistry::instance().open(task_.dataset, request_.data_roots,
                                                                        request_.extract.cache, context_.log);
    if (task_.dataset.empty()) task_.name = dataset_.name;
    split_ = resolve_split(task_, dataset_);
    targets_ = dataset_.target(task_.target);
  }

  // Weights and images first: what is missing ends the run before anything is fitted.
  void extract() {
    std::vector<FeatureRequest> requests;
    for (const std::string& text : backbones())
      requests.push_back({parse_backbone(text), request_.engine, request_.precision, request_.taps});
    features_ = extract_features(dataset_, requests, request_.extract, context_);
    std::vector<std::uint32_t> unreadable;
    for (const Features& features : features_)
      for (const auto& [item, reason] : features.unreadable) unreadable.push_back(item);
    std::sort(unreadable.begin(), unreadable.end());
    unreadable.erase(std::unique(unreadable.begin(), unreadable.end()), unreadable.end());
    note_unreadable(unreadable);
    write_skipped(unreadable);
    split_ = without_items(split_, unreadable);
    split_hash_ = split_.hash(dataset_.ids);
    split_.write(request_.out / "splits" / (task_.name + ".csv"), dataset_.ids);
  }

  std::vector<PlannedCell> plan() const {
    std::vector<PlannedCell> cells;
    const std::vector<std::string> probes = request_.probes.empty() ? default_probes() : request_.probes;
    for (const Features& features : features_)
      for (const std::string& probe : probes)
        for (int seed = 0; seed < request_.seeds; ++seed)
          cells.push_back(plan_cell(features, probe, static_cast<std::uint64_t>(seed)));
    return cells;
  }

  // Never throws but for a stop: a failure is the cell's result.
  Result fit(const PlannedCell& planned) const {
    Result result = describe(planned);
    try {
      fit_into(result, planned);
    } catch (const Error& e) {
      if (e.kind() == ErrorKind::interrupted) throw;
      result.status = "failed";
      result.error = e.message() + (e.hint().empty() ? "" : " (" + e.hint() + ")");
    }
    return result;
  }

  std::string baseline() const {
    if (!request_.baseline.empty()) return parse_backbone(request_.baseline).name;
    return task_.baseline.empty() || !request_.backbones.empty() ? features_.front().backbone : task_.baseline;
  }

 private:
  std::vector<std::string> default_probes() const {
    return task_.probes.empty() ? std::vector<std::string>{"logreg"} : task_.probes;
  }

  // The baseline is measured even when --backbone doesn't list it.
  std::vector<std::string> backbones() const {
    std::vector<std::string> texts = request_.backbones.empty() ? task_.backbones : request_.backbones;
    if (texts.empty())
      throw Error(ErrorKind::usage, "no backbone was named",
                  "add --backbone NAME[,NAME] or NAME=FILE; vise-eval list backbones");
    const std::string& baseline = request_.baseline;
    const bool listed = baseline.empty() || std::any_of(texts.begin(), texts.end(), [&](const std::string& text) {
                          return text == baseline || parse_backbone(text).name == baseline;
                        });
    if (!listed) texts.insert(texts.begin(), baseline);
    check_distinct(texts);
    return texts;
  }

  static void check_distinct(const std::vector<std::string>& texts) {
    std::vector<std::string> names;
    for (const std::string& text : texts) {
      names.push_back(parse_backbone(text).name);
      if (std::count(names.begin(), names.end(), names.back()) > 1)
        throw Error(ErrorKind::usage, fmt::format("--backbone: '{}' is named twice", names.back()),
                    "give each row a name of its own: NAME=FILE");
    }
  }

  std::string why_unreadable(std::uint32_t item) const {
    for (const Features& features : features_)
      if (const auto found = features.unreadable.find(item); found != features.unreadable.end()) return found->second;
    return "";
  }

  void note_unreadable(const std::vector<std::uint32_t>& unreadable) {
    if (unreadable.empty()) return;
    const std::uint32_t first = unreadable.front();
    notes_.push_back(fmt::format("{} image(s) could not be read and are left out of every row, for example {}: {}",
                                 unreadable.size(), dataset_.ids[first], why_unreadable(first)));
  }

  // Every skipped image with the part it would have been in; no file where none was.
  void write_skipped(const std::vector<std::uint32_t>& unreadable) const {
    const Path file = request_.out / "skipped" / (task_.name + ".csv");
    std::error_code ignored;
    std::filesystem::remove(file, ignored);
    if (unreadable.empty()) return;
    std::string csv = "path,split,reason\n";
    for (const std::uint32_t item : unreadable)
      csv += csv_line(std::vector<std::string>{dataset_.ids[item], std::string(part_name(split_.part(item))),
                                               why_unreadable(item)});
    write_file_atomically(file, csv);
  }

  // What was measured on: the items' ids and contents in their parts.
  std::string data_hash() const {
    Sha256 hash;
    for (std::size_t item = 0; item < dataset_.size(); ++item)
      hash.update(fmt::format("{}\n{}\n{}\n", dataset_.ids[item], features_.front().contents[item].str(),
                              part_name(split_.part(item))));
    return hash.hex();
  }

  PlannedCell plan_cell(const Features& features, const std::string& probe_text, std::uint64_t seed) const {
    PlannedCell planned;
    auto [name, options] = parse_probe(probe_text);
    options.seed = seed;
    planned.probe_text = probe_text;
    planned.features = &features;
    planned.cell = {task_.name, task_.target, features.backbone, probe_text, features.tap.layer, features.tap.pool, seed, 0};
    const Json identity = {{"task", task_.name},
                           {"target", task_.target},
                           {"targets", targets_hash()},
                           {"data", data_hash()},
                           {"backbone", features.backbone},
                           {"features", features.key.str()},
                           {"probe", ProbeRegistry::instance().make(name, options)->describe()},
                           {"probe_name", name},
                           {"seed", seed},
                           {"version", kVersion}};
    planned.key = sha256_hex(canonical_json(identity)).substr(0, 16);
    return planned;
  }

  std::string targets_hash() const {
    Sha256 hash;
    for (const std::string& name : targets_.names()) hash.update(name + "\n");
    const auto add = [&](auto values) { hash.update(std::as_bytes(values)); };
    if (targets_.kind() == TargetKind::classes)
      add(targets_.classes());
    else if (targets_.kind() == TargetKind::multi_label)
      add(targets_.multi_label());
    else
      add(targets_.rows());
    return hash.hex();
  }

  Result describe(const PlannedCell& planned) const {
    const Features& features = *planned.features;
    Result result;
    result.cell = planned.cell;
    result.key = planned.key;
    result.primary_metric = task_.metric.empty() ? primary_metric(targets_.kind()) : task_.metric;
    result.class_names = targets_.names();
    result.target_kind = target_kind_name(targets_.kind());
    result.split_origin = split_.origin();
    result.split_hash = split_hash_;
    result.sizes = {split_.count(Part::train), split_.count(Part::val), split_.count(Part::test),
                    split_.count(Part::unused)};
    result.features = features.key.parts;
    for (const auto& [stage, seconds] : features.seconds) result.seconds["features/" + stage] = seconds;
    for (const std::vector<std::string>* notes : {&task_.notes, &dataset_.notes, &notes_, &features.notes})
      result.notes.insert(result.notes.end(), notes->begin(), notes->end());
    result.version = kVersion;
    result.started_at = utc_now();
    return result;
  }

  static std::vector<std::uint32_t> rows_of(const Features& features, const std::vector<std::uint32_t>& items) {
    std::vector<std::uint32_t> rows;
    for (const std::uint32_t item : items) rows.push_back(features.rows[item]);
    return rows;
  }

  void fit_into(Result& result, const PlannedCell& planned) const {
    const Features& features = *planned.features;
    auto [name, options] = parse_probe(planned.probe_text);
    options.seed = planned.cell.seed;
    const auto probe = ProbeRegistry::instance().make(name, options);
    result.probe_settings = probe->describe();
    const std::vector<std::uint32_t> train = split_.items(Part::train), val = split_.items(Part::val),
                                     test = split_.items(Part::test);
    const std::vector<std::uint32_t> train_rows = rows_of(features, train), val_rows = rows_of(features, val),
                                     test_rows = rows_of(features, test);
    const Targets train_targets = targets_.select(train), val_targets = targets_.select(val),
                  test_targets = targets_.select(test);
    const float* const values = features.map->values.data();
    const TrainView train_view{FeatureRows(values, features.dim, train_rows), train_targets, {}};
    const ValView val_view{FeatureRows(values, features.dim, val_rows), val_targets};
    const Stopwatch watch;
    const Fitted fitted = probe->fit(train_view, &val_view, context_);
    result.seconds["fit"] = watch.seconds();
    const Scores scores = fitted.model->predict(FeatureRows(values, features.dim, test_rows));
    result.metrics = evaluate(scores, test_targets, fitted.calibration);
    result.selection = fitted.selection;
    result.convergence = fitted.convergence;
    result.notes.insert(result.notes.end(), fitted.notes.begin(), fitted.notes.end());
    result.scores_file = write_scores(planned.key, scores, test_targets, test);
  }

  // docs/formats/scores.md.
  std::string write_scores(const std::string& key, const Scores& scores, const Targets& targets,
                           const std::vector<std::uint32_t>& items) const {
    const std::string stem = "scores/" + key + ".test";
    std::string csv = "id,target\n";
    for (std::size_t i = 0; i < items.size(); ++i)
      csv += csv_line(std::vector<std::string>{dataset_.ids[items[i]], target_text(targets, i)});
    write_file_atomically(request_.out / (stem + ".csv"), csv);
    write_npy(request_.out / (stem + ".npy"), std::span<const double>(scores.values), {scores.rows, scores.columns});
    return stem + ".npy";
  }

  static std::string target_text(const Targets& targets, std::size_t item) {
    if (targets.kind() == TargetKind::classes) return std::to_string(targets.classes()[item]);
    std::string text;
    for (std::size_t k = 0; k < targets.width(); ++k) {
      const std::size_t at = item * targets.width() + k;
      const std::string value = targets.kind() == TargetKind::multi_label ? std::to_string(targets.multi_label()[at])
                                                                          : number(targets.rows()[at]);
      text += (k ? " " : "") + value;
    }
    return text;
  }

  const RunRequest& request_;
  const Context& context_;
  Task task_;
  Dataset dataset_;
  Split split_;
  Targets targets_;
  std::string split_hash_;
  std::vector<Features> features_;
  std::vector<std::string> notes_;
};

std::map<std::string, Result> earlier_results(const Path& file) {
  std::map<std::string, Result> by_key;
  std::error_code error;
  if (!std::filesystem::exists(file, error)) return by_key;
  for (Result& result : read_results(file)) by_key.insert_or_assign(result.key, std::move(result));
  return by_key;
}

bool is_reusable(const Result& result, Overwrite overwrite) {
  if (overwrite == Overwrite::always) return false;
  return overwrite == Overwrite::never || result.status == "ok";
}

void run_task(const RunRequest& request, const Task& task, const Context& context,
              std::map<std::string, Result>& earlier, RunOutcome& outcome) {
  TaskRun task_run(request, task, context);
  task_run.extract();
  const std::vector<PlannedCell> cells = task_run.plan();
  for (std::size_t i = 0; i < cells.size(); ++i) {
    context.throw_if_stopped();
    context.log.progress("fitting probes", i, cells.size());
    const auto known = earlier.find(cells[i].key);
    if (known != earlier.end() && is_reusable(known->second, request.overwrite)) {
      outcome.results.push_back(known->second);
      ++outcome.reused;
      continue;
    }
    outcome.results.push_back(task_run.fit(cells[i]));
    append_result(request.out / "results.jsonl", outcome.results.back());
    ++(outcome.results.back().status == "ok" ? outcome.fitted : outcome.failed);
  }
  outcome.baselines.push_back(task_run.baseline());
}

}  // namespace

std::pair<std::string, ProbeOptions> parse_probe(const std::string& text) {
  const std::vector<std::string> parts = split(text, ',');
  ProbeOptions options;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const auto equals = parts[i].find('=');
    if (equals == std::string::npos)
      throw Error(
          ErrorKind::usage, fmt::format("--probe: '{}' is not an option (KEY=VALUE)", parts[i]),
          suggest(parts[i], ProbeRegistry::instance().info(parts[0]).options) + "; several probes are several --probe");
    options.values[parts[i].substr(0, equals)] = parts[i].substr(equals + 1);
  }
  ProbeRegistry::instance().info(parts[0]);  // the nearest name, before anything is read
  return {parts[0], options};
}

Task task_for_data(const Path& path, const std::string& target) {
  Task task;
  task.name = path.stem().string();
  task.title = path.filename().string();
  task.target = target;
  task.split = {"official", {0.6, 0.2, 0.2}, "", 0.2};
  return task;
}

RunOutcome run(const RunRequest& request, const Context& context) {
  for (const std::string& probe : request.probes) {
    const auto [name, options] = parse_probe(probe);
    ProbeRegistry::instance().make(name, options);  // a wrong option is said before hours of extraction
  }
  for (const std::string& backbone : request.backbones) parse_backbone(backbone);
  RunOutcome outcome;
  std::map<std::string, Result> earlier = earlier_results(request.out / "results.jsonl");
  for (const Task& task : request.tasks) run_task(request, task, context, earlier, outcome);
  return outcome;
}

}  // namespace vise
