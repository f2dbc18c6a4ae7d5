#include "experiments/task_run.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/csv.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include "base/version.h"
#include "datasets/dataset_registry.h"
#include "datasets/groups.h"
#include "datasets/open_data.h"
#include "datasets/sampling.h"
#include "experiments/cell_key.h"
#include "experiments/earlier_draws.h"
#include "experiments/label_question.h"
#include "experiments/scores_file.h"
#include "experiments/split_rule.h"
#include "experiments/weights_file.h"
#include "probes/evaluate.h"
#include "probes/parse_probe.h"

namespace vise::experiments {
namespace {

std::string utc_now() {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now())));
}

// On one line: it becomes a footnote.
std::string words_of(const Error& e) {
  std::string words = e.message() + (e.hint().empty() ? "" : fmt::format(" ({})", e.hint()));
  std::ranges::replace(words, '\n', ' ');
  words.erase(std::unique(words.begin(), words.end(), [](char a, char b) { return a == ' ' && b == ' '; }),
              words.end());
  return words;
}

void check_parts(const datasets::Split& split, const std::string& what) {
  for (const datasets::Part part : {datasets::Part::train, datasets::Part::val, datasets::Part::test})
    if (split.count(part) == 0)
      throw Error(ErrorKind::input, fmt::format("{}: no {} images are left", what, datasets::part_name(part)),
                  "a probe needs train, val and test; widen the condition");
}

datasets::Split chosen(const datasets::Split& split, const std::vector<std::uint32_t>& items) {
  std::vector<datasets::Part> parts;
  for (const std::uint32_t item : items) parts.push_back(split.part(item));
  return {std::move(parts), split.origin()};
}

std::vector<std::uint32_t> rows_of(const features::Features& features, const std::vector<std::uint32_t>& items) {
  std::vector<std::uint32_t> rows;
  for (const std::uint32_t item : items) rows.push_back(features.rows[item]);
  return rows;
}

std::string hash_of(const datasets::Targets& targets) {
  Sha256 hash;
  // Names too: the same numbers under other class names are other targets.
  for (const std::string& name : targets.names()) hash.update(name + "\n");
  const auto add = [&](auto values) { hash.update(std::as_bytes(values)); };
  if (targets.kind() == datasets::TargetKind::classes)
    add(targets.classes());
  else if (targets.kind() == datasets::TargetKind::multi_label)
    add(targets.multi_label());
  else
    add(targets.rows());
  return hash.hex();
}

// As the store kept it when the features were computed; empty of floors, and of stores that lost it.
std::string parameters_of(const features::Features& features) {
  std::error_code error;
  const Path facts = features.folder / "features.json";
  if (!std::filesystem::exists(facts, error)) return {};
  const Json json = Json::parse(read_text_file(facts, 16 << 20), nullptr, false);
  const Json hash = json.is_object() ? json.value("parameters_sha256", Json()) : Json();
  return hash.is_string() ? hash.get<std::string>() : std::string();
}

std::string target_to_predict(const datasets::Dataset& dataset) {
  if (auto usual = usual_target(dataset)) return *usual;
  if (dataset.targets.empty())
    throw Error(ErrorKind::input, fmt::format("{}: no labels were found", dataset.name),
                "name its column (--label-column), put images into a folder for each class, or write a table: "
                "docs/formats/manifest.md");
  std::vector<std::string> names;
  for (const auto& [name, column] : dataset.targets) names.push_back(name);
  throw Error(ErrorKind::usage, fmt::format("{}: which of its labels is to be predicted is not said", dataset.name),
              fmt::format("--target {}", join(names, ", or --target ")));
}

std::string default_probe(datasets::TargetKind kind) {
  return kind == datasets::TargetKind::values ? "ridge" : "logreg";
}

}  // namespace

datasets::Dataset open_dataset(const Task& task, const RunRequest& request, Log& log) {
  if (task.dataset.empty()) return datasets::open_data_path(task.data, log, task.columns, request.extract.cache);
  return datasets::DatasetRegistry::instance().open(task.dataset, request.data_roots, request.extract.cache, log);
}

// The order matters: labels are questioned before a split is made of them, the split is drawn
// of all items, and only then a condition takes items away.
TaskRun::TaskRun(const RunRequest& request, Task task, const Context& context)
    : request_(request), context_(context), task_(std::move(task)), draws_({}, 0) {
  dataset_ = open_dataset(task_, request_, context_.log);
  if (task_.name.empty()) task_.name = name_of_split(dataset_.name, task_.split);
  if (task_.target.empty()) task_.target = target_to_predict(dataset_);
  keep_earlier_draws(request_.keeps_draws_of, task_);
  ask_about_labels(task_, dataset_);
  split_ = resolve_split(task_, dataset_);
  // The condition comes after the split: an item has the same part in every run of this task.
  if (!task_.condition.empty()) {
    const std::vector<std::uint32_t> items = datasets::where(dataset_, task_.condition);
    split_ = chosen(split_, items);
    dataset_ = datasets::subset(dataset_, items);
    check_parts(split_, fmt::format("{} where {}", dataset_.name, task_.condition));
  }
  dataset_.unused.resize(dataset_.size());
  // Unused items are not read at all: a condition or an agreement may leave a tenth of a large set.
  for (std::size_t item = 0; item < dataset_.size(); ++item)
    dataset_.unused[item] = split_.part(item) == datasets::Part::unused;
  draws_ = draws_of(task_, dataset_);
  note_straddling_groups();
  targets_ = dataset_.target(task_.target);
  if (task_.probes.empty()) task_.probes = {default_probe(targets_.kind())};
  for (const std::string& text : task_.probes) probes_.push_back(probes::parse_probe(text));
  targets_hash_ = hash_of(targets_);
  for (const std::string& text : task_.backbones)
    rows_.push_back({{features::parse_backbone(text), request_.engine, request_.precision, wanted_taps(),
                      request_.views, request_.storage, request_.device},
                     {},
                     {},
                     {}});
}

std::vector<TaskRun::Row*> TaskRun::with_features() {
  std::vector<Row*> rows;
  for (Row& row : rows_)
    if (row.failure.empty()) rows.push_back(&row);
  return rows;
}

void TaskRun::extract_rows(const std::vector<Row*>& rows) {
  std::vector<features::Features> all =
      features::extract_features(dataset_, feature_requests(), request_.extract, context_);
  for (Row* row : rows) row->features.clear();
  for (features::Features& features : all) rows[features.request]->features.push_back(std::move(features));
}

// Which backbone an extraction failed for: each is tried on one image. Where none fails, or all do, the data are to
// blame and the error is everybody's.
void TaskRun::find_failing(const Error& error) {
  const auto used = std::ranges::find(dataset_.unused, false);  // the split has images in train and test
  const std::vector<std::uint32_t> first{static_cast<std::uint32_t>(used - dataset_.unused.begin())};
  const datasets::Dataset one = datasets::subset(dataset_, first);
  std::size_t failed = 0;
  for (Row& row : rows_) {
    try {
      features::extract_missing(one, {row.request}, request_.extract, context_);
    } catch (const Error& e) {
      if (e.kind() == ErrorKind::interrupted) throw;
      row.failure = words_of(e);
      ++failed;
    }
  }
  if (failed == 0 || failed == rows_.size()) throw error;
  for (const Row& row : rows_)
    if (!row.failure.empty())
      context_.log.warn(fmt::format("{}: the rows of {} fail, the rest goes on: {}", task_.name,
                                    row.request.backbone.name, row.failure));
}

void TaskRun::extract() {
  try {
    extract_rows(with_features());
  } catch (const Error& e) {
    if (e.kind() == ErrorKind::interrupted) throw;
    // What can be computed still is: one backbone's missing file must not cost the others their rows.
    find_failing(e);
    extract_rows(with_features());
  }
  // After all backbones: an image that one of them could not read is left out of every
  // row, so that rows stay paired.
  leave_out_unreadable();
  draw_subsets();
  hash_data(with_features().front()->features.front().contents);
}

std::vector<features::FeatureRequest> TaskRun::feature_requests() const {
  std::vector<features::FeatureRequest> requests;
  for (const Row& row : rows_)
    if (row.failure.empty()) requests.push_back(row.request);
  return requests;
}

void TaskRun::extract_part(std::span<const std::uint32_t> items) {
  const datasets::Dataset part = datasets::subset(dataset_, items);
  try {
    features::extract_missing(part, feature_requests(), request_.extract, context_);
  } catch (const Error& e) {
    if (e.kind() == ErrorKind::interrupted) throw;
    find_failing(e);
    features::extract_missing(part, feature_requests(), request_.extract, context_);
  }
}

std::size_t TaskRun::count_missing(std::span<const std::uint32_t> items) const {
  features::ExtractOptions options = request_.extract;
  options.into.clear();
  std::size_t missing = 0;
  for (const features::FeatureStatus& status :
       features::feature_status(datasets::subset(dataset_, items), feature_requests(), options, context_))
    missing += status.missing + status.unread;
  return missing;
}

const std::vector<features::FeatureStatus>& TaskRun::look(bool read_unknown) {
  status_ = features::feature_status(dataset_, feature_requests(), request_.extract, context_, read_unknown);
  for (Row& row : rows_)
    for (const features::FeatureStatus& status : status_)
      if (status.backbone == row.request.backbone.name) row.status.push_back(status);
  draw_subsets();
  for (const features::FeatureStatus& status : status_)
    if (!status.contents.empty()) {
      hash_data(status.contents);
      break;
    }
  return status_;
}

void TaskRun::leave_out_unreadable() {
  std::map<std::uint32_t, std::string> unreadable;
  for (const Row* row : with_features())
    for (const features::Features& features : row->features)
      unreadable.insert(features.unreadable.begin(), features.unreadable.end());
  if (unreadable.empty()) return;
  const auto& [first, reason] = *unreadable.begin();
  notes_.push_back(fmt::format("{} image(s) could not be read and are left out of every row, for example {}: {}",
                               unreadable.size(), dataset_.ids[first], reason));
  std::vector<std::uint32_t> items;
  skipped_csv_ = "path,split,reason\n";
  for (const auto& [item, why] : unreadable) {
    items.push_back(item);
    skipped_csv_ += csv_line(
        std::vector<std::string>{dataset_.ids[item], std::string(datasets::part_name(split_.part(item))), why});
  }
  split_ = without_items(split_, items);
}

// A group of which the probe saw a part is recognised, not judged.
void TaskRun::note_straddling_groups() {
  const auto group = dataset_.attributes.find("group");
  if (!task_.dataset.empty() || group == dataset_.attributes.end()) return;
  const datasets::GroupCount count = datasets::straddling_groups(group->second, split_);
  if (count.straddling == 0) return;
  notes_.push_back(
      fmt::format("{} of {} groups (column 'group') stand in several parts of the split: what is "
                  "recognised may be the group.",
                  count.straddling, count.groups));
  context_.log.warn(fmt::format("{}: {}", task_.name, notes_.back()));
}

std::optional<std::string> TaskRun::random_note(const features::Features& features) const {
  const auto own =
      std::ranges::find_if(rows_, [&](const Row& row) { return row.request.backbone.name == features.backbone; });
  if (own == rows_.end() || own->request.backbone.kind != features::BackboneKind::random) return std::nullopt;
  const std::string mine = features.key.parts.value("architecture", "");
  std::string note = fmt::format("{} is a {} with random weights", features.backbone, mine);
  for (const Row& row : rows_) {
    if (row.request.backbone.kind != features::BackboneKind::weights || row.features.empty()) continue;
    const std::string other = row.features.front().key.parts.value("architecture", "");
    if (other != mine)
      return fmt::format("{}; {} is a {}, whose floor is --backbone random,arch={}.", note, row.request.backbone.name,
                         other, other);
  }
  return note + ".";
}

std::vector<int> TaskRun::folds_within(std::span<const std::uint32_t> train, std::uint64_t seed) const {
  std::vector<std::string> groups;
  if (const auto all = groups_of(task_, dataset_); !all.empty())
    for (const std::uint32_t item : train) groups.push_back(all[item]);
  return draws_.inner_folds(train, targets_.select(train).strata(), groups, seed);
}

std::size_t TaskRun::fit_rows() const {
  return split_.count(datasets::Part::train) + split_.count(datasets::Part::val);
}

std::size_t TaskRun::test_images() const { return split_.count(datasets::Part::test); }

// Everything that is known before the fit, so that a failed cell's result has its data's facts too.
Result TaskRun::describe(const PlannedCell& planned) const {
  Result result;
  const datasets::Split& split = planned.split->split;
  result.cell = planned.cell;
  result.key = planned.key;
  result.primary_metric = task_.metric.empty() ? probes::primary_metric(targets_.kind()) : task_.metric;
  result.class_names = targets_.names();
  result.target_kind = targets_.kind();
  result.split_origin = split_.origin();
  result.split_hash = split_hash_;
  result.draw = draws_.version();
  result.data_hash = planned.split->data_hash;
  result.targets_hash = targets_hash_;
  if (!planned.split->subset.is_all()) result.sample_hash = planned.split->hash;
  result.sizes = {split.count(datasets::Part::train), split.count(datasets::Part::val),
                  split.count(datasets::Part::test), split.count(datasets::Part::unused)};
  for (const std::vector<std::string>* notes : {&task_.notes, &dataset_.notes, &notes_})
    result.notes.insert(result.notes.end(), notes->begin(), notes->end());
  if (const features::Features* const features = planned.features) {
    result.features = features->key.parts;
    result.parameters = parameters_of(*features);
    if (const auto note = random_note(*features)) result.notes.push_back(*note);
    for (const auto& [stage, seconds] : features->seconds) result.seconds["features/" + stage] = seconds;
    result.images = features->computed;
    result.notes.insert(result.notes.end(), features->notes.begin(), features->notes.end());
  }
  result.version = kVersion;
  result.started_at = utc_now();
  return result;
}

// A failure is a result with status and reason; only an interruption ends the run.
FittedCell TaskRun::fit(const PlannedCell& planned, const Context& context) const {
  FittedCell fitted{describe(planned), {}};
  try {
    if (planned.failure.empty()) fit_into(fitted, planned, context);
    fitted.result.error = planned.failure;
  } catch (const Error& e) {
    if (e.kind() == ErrorKind::interrupted) throw;
    fitted.result.error = words_of(e);
  }
  fitted.result.status = fitted.result.error.empty() ? CellStatus::ok : CellStatus::failed;
  return fitted;
}

std::vector<Result> TaskRun::fit_and_keep(std::span<const PlannedCell* const> cells, const Path& out,
                                          const Context& context) const {
  const FittedCell fitted = fit(*cells.front(), context);
  std::vector<Result> results;
  for (const PlannedCell* const planned : cells) {
    Result result = fitted.result;
    result.cell = planned->cell;
    result.key = planned->key;
    if (planned != cells.front()) result.seconds["fit"] = 0;
    // Scores before the result that names them: a killed run never leaves a result whose scores are missing.
    if (fitted.scores) result.scores_file = write_scores(out, planned->key, *fitted.scores);
    if (fitted.model) write_weights(out, planned->key, *fitted.model);
    results.push_back(std::move(result));
  }
  return results;
}

void TaskRun::fit_into(FittedCell& cell, const PlannedCell& planned, const Context& context) const {
  Result& result = cell.result;
  const auto probe = planned.probe->make(planned.cell.seed);
  result.probe_settings = probe->describe();
  const datasets::Split& split = planned.split->split;
  const std::vector<std::uint32_t> test = split.items(datasets::Part::test);
  const datasets::Targets test_targets = targets_.select(test);
  const Stopwatch watch;
  auto [fitted, scores] = planned.probe->info().needs_images
                              ? fit_images(planned, probes::parse_finetune(planned.probe->with(planned.cell.seed)))
                              : fit_features(planned, *probe, context);
  result.seconds["fit"] = watch.seconds();
  result.metrics = probes::evaluate(scores, test_targets, fitted.calibration);
  if (std::string note = probes::absent_classes_note(test_targets); !note.empty())
    result.notes.push_back(std::move(note));
  result.selection = fitted.selection;
  result.convergence = fitted.convergence;
  result.calibration = fitted.calibration;
  result.notes.insert(result.notes.end(), fitted.notes.begin(), fitted.notes.end());
  SavedScores saved{{}, test_targets, std::move(scores)};
  if (const auto votes = dataset_.targets.find("votes");
      votes != dataset_.targets.end() && targets_.kind() == datasets::TargetKind::classes &&
      votes->second.kind() == datasets::TargetKind::distribution && votes->second.names() == targets_.names())
    saved.votes = votes->second.select(test);
  for (const std::uint32_t item : test) saved.ids.push_back(dataset_.ids[item]);
  cell.scores = std::move(saved);
  cell.model = std::move(fitted.model);
}

FittedAndTested TaskRun::fit_features(const PlannedCell& planned, const probes::Probe& probe,
                                      const Context& context) const {
  const features::Features& features = *planned.features;
  const datasets::Split& split = planned.split->split;
  const std::vector<std::uint32_t> train = split.items(datasets::Part::train), val = split.items(datasets::Part::val);
  const std::vector<std::uint32_t> train_rows = rows_of(features, train), val_rows = rows_of(features, val),
                                   test_rows = rows_of(features, split.items(datasets::Part::test));
  const datasets::Targets train_targets = targets_.select(train), val_targets = targets_.select(val);
  const auto rows = [&](const std::vector<std::uint32_t>& chosen) {
    return features.tokens > 1 ? probes::FeatureRows(features.map->halves.data(), features.dim, features.tokens, chosen)
                               : probes::FeatureRows(features.map->values.data(), features.dim, chosen);
  };
  const std::vector<int> folds = val.empty() ? folds_within(train, planned.cell.seed) : std::vector<int>{};
  const probes::TrainView train_view{rows(train_rows), train_targets, folds};
  const probes::ValView val_view{rows(val_rows), val_targets};
  FittedAndTested done;
  done.fitted = probe.fit(train_view, val.empty() ? nullptr : &val_view, context);
  // Test features enter here, after fit() has returned.
  done.test = done.fitted.model->predict(rows(test_rows));
  return done;
}

// On all threads of the run, whatever else runs: the sums of a training depend on their number.
FittedAndTested TaskRun::fit_images(const PlannedCell& planned, probes::FinetuneSettings settings) const {
  const auto row =
      std::ranges::find_if(rows_, [&](const Row& c) { return c.request.backbone.name == planned.cell.backbone; });
  const features::Backbone& backbone = row->request.backbone;
  const datasets::Split& split = planned.split->split;
  const std::vector<std::uint32_t> train = split.items(datasets::Part::train), val = split.items(datasets::Part::val),
                                   test = split.items(datasets::Part::test);
  const datasets::Targets train_targets = targets_.select(train), val_targets = targets_.select(val);
  const Path checkpoint = request_.out.empty() ? Path() : request_.out / "finetune" / (planned.key + ".safetensors");
  const features::FeatureTap tap{planned.cell.layer, planned.cell.pool};
  return finetune({dataset_, backbone, request_.extract, tap, std::move(settings), train, val, test, train_targets,
                   val_targets, checkpoint, planned.key},
                  context_);
}

std::vector<Result> failed_task(const RunRequest& request, const Task& task, const std::string& reason) {
  std::vector<Result> results;
  const std::vector<std::string> probes =
      task.probes.empty() ? std::vector{default_probe(datasets::TargetKind::classes)} : task.probes;
  for (const std::string& backbone : task.backbones)
    // A task without data fails in every cell that it would have had, so that a table shows the gaps.
    for (const features::FeatureTap& tap : request.taps)
      for (const std::string& probe : probes)
        for (const TrainSubset& subset : request.subsets)
          for (int seed = 0; seed < request.seeds; ++seed) {
            Result result;
            result.cell = {task.name,       task.target,   features::parse_backbone(backbone).name, probe,
                           tap.layer,       tap.pool,      static_cast<std::uint64_t>(seed),        subset.shots,
                           subset.fraction, task.condition};
            result.key = key_without_data(result.cell);
            result.status = CellStatus::failed;
            result.error = reason;
            result.primary_metric = task.metric.empty() ? "accuracy" : task.metric;
            result.target_kind = datasets::TargetKind::classes;
            result.version = kVersion;
            result.started_at = utc_now();
            results.push_back(std::move(result));
          }
  return results;
}

}  // namespace vise::experiments
