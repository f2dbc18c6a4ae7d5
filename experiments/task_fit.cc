// A planned cell of a task, fitted and tested.
#include "experiments/task_run.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/error.h"
#include "base/file.h"
#include "base/version.h"
#include "experiments/cell_key.h"
#include "experiments/scores_file.h"
#include "experiments/weights_file.h"
#include "probes/evaluate.h"

namespace vise::experiments {
namespace {

std::string utc_now() {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now())));
}

// Places in the matrix of features of a part's items.
std::vector<std::uint32_t> rows_of(const features::Features& features, const std::vector<std::uint32_t>& items) {
  std::vector<std::uint32_t> rows;
  for (const std::uint32_t item : items) rows.push_back(features.rows[item]);
  return rows;
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

}  // namespace

// The floor belongs to one architecture: beside a backbone of another the note says so and how to get its own.
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

// Seeds that draw nothing share one fit; each still has a result and scores of its own, under its own key.
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

// Fits and tests one cell, and puts what came of it into the result: settings, choice, metrics, notes, scores.
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
  // Votes are kept with the scores where they are over the same classes: the report needs them for the noise ceiling.
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
  // Where val is empty, as in few-shot subsets, hyper-parameters are chosen by cross-validation inside train.
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
  // The training state is named by the cell's key, so that a resumed run finds it and no other cell does.
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
  for (const features::Backbone& row : task.rows)
    // A task without data fails in every cell that it would have had, so that a table shows the gaps.
    for (const features::FeatureTap& tap : request.taps)
      for (const std::string& probe : probes)
        for (const TrainSubset& subset : request.subsets)
          for (int seed = 0; seed < request.seeds; ++seed) {
            Result result;
            result.cell = {task.name,
                           task.target,
                           row.name,
                           probe,
                           tap.layer,
                           tap.pool,
                           static_cast<std::uint64_t>(seed),
                           subset.shots,
                           subset.fraction,
                           task.condition};
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
