#include "cli/probe_fit.h"

#include <fmt/format.h>

#include <cmath>

#include "base/csv.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/npy.h"
#include "base/text.h"
#include "base/version.h"
#include "datasets/label_check.h"
#include "experiments/result.h"
#include "experiments/results_file.h"
#include "experiments/runner.h"
#include "experiments/seal.h"
#include "experiments/task_run.h"
#include "probes/evaluate.h"
#include "probes/nested.h"
#include "probes/parse_probe.h"

namespace vise::cli {
namespace {

// As docs/formats/scores.md has it: a class's index, else K numbers joined by blanks.
std::string target_text(const datasets::Targets& targets, std::size_t item) {
  if (targets.kind() == datasets::TargetKind::classes) return std::to_string(targets.classes()[item]);
  std::vector<std::string> values;
  for (std::size_t k = 0; k < targets.width(); ++k) {
    const std::size_t at = item * targets.width() + k;
    values.push_back(targets.kind() == datasets::TargetKind::multi_label ? std::to_string(targets.multi_label()[at])
                                                                         : number(targets.rows()[at]));
  }
  return join(values, " ");
}

// The scores of the test rows beside results.jsonl, from which `verify`, intervals and paired tests are computed: K
// columns of doubles, and a table of ids and targets.
void write_scores(const Path& out, experiments::Result& result, const ProbeData& data,
                  const std::vector<std::uint32_t>& items, const probes::Scores& scores) {
  std::filesystem::create_directories(out / "scores");
  const std::string stem = "scores/" + result.key + ".test";
  std::string csv = "id,target\n";
  for (const std::uint32_t item : items)
    csv += csv_line(std::vector<std::string>{data.ids[item], target_text(data.targets, item)});
  write_file_atomically(out / (stem + ".csv"), csv);
  write_npy(out / (stem + ".npy"), std::span<const double>(scores.values), {scores.rows, scores.columns});
  result.scores_file = stem + ".npy";
}

// All of a result that is known before the fit, its key included.
experiments::Result describe(const ProbeRun& options, const ProbeData& data, const std::string& name,
                             const probes::Probe& probe) {
  experiments::Result result;
  result.cell.task = Path(options.files.labels).stem().string();
  result.cell.target = options.files.column;
  result.cell.backbone = options.name.empty() ? features_name(options.files.features) : options.name;
  result.cell.probe = options.probe;
  result.cell.seed = options.files.seed;
  // Not a layer of any network: the features were given.
  result.cell.layer = result.cell.pool = experiments::kGivenLayer;
  const datasets::Split& split = data.split;
  result.sizes = {split.count(datasets::Part::train), split.count(datasets::Part::val),
                  split.count(datasets::Part::test), split.count(datasets::Part::unused)};
  result.split_origin = split.origin();
  result.split_hash = split.hash(data.ids);
  result.class_names = data.targets.names();
  result.target_kind = data.targets.kind();
  result.primary_metric = probes::primary_metric(data.targets.kind());
  result.probe_settings = probe.describe();
  // Features by their content: a file's name says nothing about it.
  Sha256 rows;
  for (const float* const row : data.rows) rows.update(std::as_bytes(std::span(row, data.dim)));
  result.features = Json{{"given", rows.hex()}, {"dim", data.dim}};
  result.version = kVersion;
  Sha256 hash;  // of everything that decides the numbers
  hash.update(canonical_json(Json{{"probe", name},
                                  {"settings", *result.probe_settings},
                                  {"split", result.split_hash},
                                  {"folds", options.folds},
                                  {"nested", options.nested},
                                  {"seed", options.files.seed}}));
  for (const float* const row : data.rows) hash.update(std::as_bytes(std::span(row, data.dim)));
  for (std::size_t i = 0; i < data.targets.size(); ++i) hash.update(target_text(data.targets, i) + "\n");
  result.key = hash.hex().substr(0, 16);
  return result;
}

// Chosen on val, or by cross-validation where there is none; tested once.
// A test row is seen by the fitted model alone, after everything was chosen.
void fit_and_test(const ProbeRun& options, const ProbeData& data, const probes::Probe& probe, const Context& context,
                  experiments::Result& result) {
  const auto train = data.split.items(datasets::Part::train), val = data.split.items(datasets::Part::val),
             test = data.split.items(datasets::Part::test);
  const auto train_rows = rows_of(data, train), val_rows = rows_of(data, val), test_rows = rows_of(data, test);
  const datasets::Targets train_targets = data.targets.select(train), val_targets = data.targets.select(val);
  std::vector<std::string> groups;
  for (const std::uint32_t item : train) {
    if (!data.groups.empty()) groups.push_back(data.groups[item]);
  }
  std::vector<int> folds;
  // Without val, the hyper-parameter is chosen by cross-validation over train, with groups kept whole.
  if (val.empty() && options.folds > 1)
    folds = datasets::make_folds(train_targets.strata(), groups, options.folds, "probe/folds", options.files.seed);
  const probes::TrainView train_view{probes::FeatureRows(train_rows, data.dim), train_targets, folds};
  const probes::ValView val_view{probes::FeatureRows(val_rows, data.dim), val_targets};
  const Stopwatch watch;
  const probes::Fitted fitted = probe.fit(train_view, val.empty() ? nullptr : &val_view, context);
  result.seconds["fit"] = watch.seconds();
  result.selection = fitted.selection;
  result.convergence = fitted.convergence;
  result.calibration = fitted.calibration;
  result.notes = fitted.notes;
  // Nothing to test on: the fit itself is the result.
  if (test.empty()) return;
  const probes::Scores scores = fitted.model->predict(probes::FeatureRows(test_rows, data.dim));
  const datasets::Targets tested = data.targets.select(test);
  result.metrics = probes::evaluate(scores, tested, fitted.calibration);
  if (std::string note = probes::absent_classes_note(tested); !note.empty()) result.notes.push_back(std::move(note));
  if (!options.out.empty()) write_scores(options.out, result, data, test, scores);
}

// Every row is tested once; its split doesn't matter.
void test_nested(const ProbeRun& options, const ProbeData& data, const probes::Probe& probe, const Context& context,
                 experiments::Result& result) {
  // The inner cross-validation chooses within each outer fold and needs two folds to do so.
  const int inner = std::max(options.folds, 2);
  const Stopwatch watch;
  const std::vector<probes::NestedFold> folds = probes::nested_cross_validation(
      probe, data.rows, data.dim, data.targets, data.groups, {options.nested, inner, options.files.seed}, context);
  result.seconds["fit"] = watch.seconds();
  std::vector<std::uint32_t> tested;
  // Each row's score is of the one outer fold whose model didn't see it.
  const probes::Scores scores = probes::pooled(folds, tested);
  // Logits are logits in every fold, but a temperature is fitted for each: none is right for all.
  probes::Calibration calibration;
  calibration.scores_are_logits = folds.front().fitted.calibration.scores_are_logits;
  result.metrics = probes::evaluate(scores, data.targets.select(tested), calibration);
  result.calibration = calibration;
  // Its own split: what was tested is test, and nothing else is known of the rows.
  std::vector<datasets::Part> parts(data.rows.size(), datasets::Part::unused);
  for (const std::uint32_t item : tested) parts[item] = datasets::Part::test;
  const datasets::Split split(std::move(parts), "");
  result.split_hash = split.hash(data.ids);
  if (!options.out.empty()) split.write(Path(options.out) / experiments::split_file(result, false), data.ids);
  result.sizes = {0, 0, tested.size(), data.rows.size() - tested.size()};
  result.split_origin =
      fmt::format("nested {} x {}-fold cross-validation (seed {})", options.nested, inner, options.files.seed);
  result.selection.selected_on = fmt::format("{}-fold cross-validation within each outer fold", inner);
  result.selection.metric = folds.front().fitted.selection.metric;
  result.convergence.objective_text = folds.front().fitted.convergence.objective_text;
  result.convergence.objective = std::nan("");  // each fold's is another
  result.convergence.converged = true;
  for (const probes::NestedFold& fold : folds) {
    const probes::Convergence& one = fold.fitted.convergence;
    // The worst of the folds counts for all: any that didn't converge, any that chose on the edge.
    result.convergence.converged = result.convergence.converged && one.converged;
    result.convergence.iterations += one.iterations;
    result.convergence.gradient_norm = std::max(result.convergence.gradient_norm, one.gradient_norm);
    result.selection.on_edge = result.selection.on_edge || fold.fitted.selection.on_edge;
    const auto value =
        probes::evaluate(fold.scores, data.targets.select(fold.rows), calibration).at(result.primary_metric);
    result.notes.push_back(fmt::format("outer fold {}: {}, {} {}", result.notes.size() + 1,
                                       chosen_text(fold.fitted.selection.chosen), result.primary_metric,
                                       value ? fmt::format("{:.4f}", *value) : "undefined"));
  }
  if (!options.out.empty()) write_scores(options.out, result, data, tested, scores);
}

}  // namespace

// features.npy is what `extract` writes into each folder, so the folder tells which features they are.
std::string features_name(const Path& file) {
  const std::string stem = file.stem().string(),
                    folder = std::filesystem::absolute(file).parent_path().filename().string();
  return stem == "features" && !folder.empty() ? folder + "/" + stem : stem;
}

std::string chosen_text(const std::map<std::string, double>& chosen) {
  std::string text;
  for (const auto& [name, value] : chosen)
    text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", name, number(value));
  return text.empty() ? "nothing" : text;
}

// The key is computed before the fit from all that decides it: the same request has the same key.
experiments::Result probe_features(const ProbeRun& run, const ProbeData& data, const Context& context) {
  const probes::ProbeChoice choice = probes::parse_probe(run.probe);
  const auto probe = choice.make(run.files.seed);
  experiments::Result result = describe(run, data, choice.name, *probe);
  (run.nested > 0 ? test_nested : fit_and_test)(run, data, *probe, context, result);
  if (auto typos = datasets::remark_on_typos(data.targets)) result.notes.push_back(std::move(*typos));
  return result;
}

// The seal is broken first: between the two writes the folder is no longer what was sealed.
void keep_result(const ProbeRun& run, const ProbeData& data, const experiments::Result& result) {
  experiments::break_seal(run.out);
  if (run.nested == 0) data.split.write(Path(run.out) / experiments::split_file(result, false), data.ids);
  experiments::append_result(Path(run.out) / "results.jsonl", result);
}

}  // namespace vise::cli
