// Results as a run would write them, for the tests of the tables.
#pragma once

#include <cmath>
#include <string>

#include "base/npy.h"
#include "base/random.h"
#include "experiments/result.h"
#include "tests/weighted.h"

namespace vise::test {

inline experiments::Result sample_result(const std::string& backbone, double accuracy,
                                         const std::string& probe = "logreg", std::uint64_t seed = 0) {
  experiments::Result r;
  r.cell.task = "omi300/happy";
  r.cell.target = "label";
  r.cell.backbone = backbone;
  r.cell.probe = probe;
  r.cell.seed = seed;
  r.key = backbone + "-" + probe + "-" + std::to_string(seed);
  r.primary_metric = "accuracy";
  r.metrics = {
      {"accuracy", accuracy}, {"balanced_accuracy", accuracy - 0.01}, {"f1_macro", accuracy - 0.02}, {"auc", 0.875}};
  r.class_names = {"high", "low"};
  r.target_kind = datasets::TargetKind::classes;
  r.split_origin = "from the manifest";
  r.split_hash = "5eed";
  r.sizes = {180, 60, 60, 0};
  r.selection.selected_on = "val (60 images)";
  r.selection.metric = "accuracy";
  r.selection.chosen = {{"C", 0.1}};
  r.selection.curve = {{{{"C", 0.01}}, 0.7}, {{{"C", 0.1}}, 0.75}, {{{"C", 1.0}}, 0.74}};
  r.version = "0.1.0";
  r.started_at = "2026-01-01T00:00:00Z";
  return r;
}

inline experiments::Result failed_result(const std::string& backbone, const std::string& error) {
  experiments::Result r = sample_result(backbone, 0);
  r.status = experiments::CellStatus::failed;
  r.error = error;
  r.metrics.clear();
  r.selection = {};
  return r;
}

// A model of two classes that is right with probability `skill`, on items whose truth alternates; its scores are saved
// below `run` and its result has the metrics that follow from them. Models of one `items_name` share item difficulties,
// so their errors are correlated as real ones are.
inline experiments::Result simulated_result(const Path& run, const std::string& backbone, double skill,
                                            std::size_t items, std::uint64_t seed = 0,
                                            const std::string& probe = "logreg") {
  experiments::Result r = sample_result(backbone, 0, probe, seed);
  RandomStream shared("samples/items", 0), own("samples/" + backbone + "/" + probe, seed);
  std::vector<double> scores;
  std::string csv = "id,target\n";
  std::vector<int> y;
  for (std::size_t i = 0; i < items; ++i) {
    const int truth = static_cast<int>(i % 2);
    const double z = (own.uniform() * 0.5 + shared.uniform() * 0.5 < skill ? 1 : -1) * (0.1 + own.uniform() * 2);
    scores.insert(scores.end(), {truth ? -z : z, 0.0});
    csv += "faces/" + std::to_string(i) + ".png," + std::to_string(truth) + "\n";
    y.push_back(truth);
  }
  const std::string_view names[] = {"accuracy", "balanced_accuracy", "f1_macro", "auc"};
  double values[4];
  scored(y, scores, 2).evaluate(names, {}, values);
  for (int m = 0; m < 4; ++m) r.metrics[std::string(names[m])] = values[m];
  r.sizes.test = items;
  r.scores_file = "scores/" + r.key + ".test.npy";
  write_npy(run / r.scores_file, std::span<const double>(scores), {items, 2});
  write_file_atomically(run / ("scores/" + r.key + ".test.csv"), csv);
  return r;
}

}  // namespace vise::test
