// Results as a run would write them, for the tests of the tables.
#pragma once

#include <string>

#include "experiments/result.h"

namespace vise::test {

inline Result sample_result(const std::string& backbone, double accuracy, const std::string& probe = "logreg",
                            std::uint64_t seed = 0) {
  Result r;
  r.cell.task = "omi300/happy";
  r.cell.target = "label";
  r.cell.backbone = backbone;
  r.cell.probe = probe;
  r.cell.seed = seed;
  r.key = backbone + "-" + probe + "-" + std::to_string(seed);
  r.primary_metric = "accuracy";
  r.metrics = {{"accuracy", accuracy},
               {"balanced_accuracy", accuracy - 0.01},
               {"macro_f1", accuracy - 0.02},
               {"roc_auc", 0.875}};
  r.class_names = {"high", "low"};
  r.target_kind = "classes";
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

inline Result failed_result(const std::string& backbone, const std::string& error) {
  Result r = sample_result(backbone, 0);
  r.status = "failed";
  r.error = error;
  r.metrics.clear();
  r.selection = {};
  return r;
}

}  // namespace vise::test
