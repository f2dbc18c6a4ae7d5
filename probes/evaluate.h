// From a model's scores and the targets to the numbers of a table.
//
//   const auto metrics = evaluate(test_scores, test_targets, fitted.calibration);
//   metrics.at("accuracy");                    // none = undefined on this test set
//
// By kind of target:
//   classes        accuracy, balanced_accuracy, f1_macro, f1_weighted, kappa, log_loss, brier, ece, ece_calibrated; two
//                  classes also auc, average_precision; more also auc_ovr_macro, map, and top5 beyond five classes
//   multi-label    map, auc_macro, f1_macro, f1_micro, f1_samples, f1_samples_empty_right, exact_match
//   distribution   kl, cross_entropy, js, accuracy_within_votes, majority_accuracy, vote_share, vote_share_ceiling
//   values         r2, pearson, spearman, ccc, mae, rmse; several values: their means, and "r2:NAME" ... for each
// and those of metric_registry.h. Where a class has no row, f1_macro counts it as 0; f1_macro_seen, which is there only
// then, is the mean over the classes that targets or scores show. `brier` is the two-class form for two classes and the
// sum over classes for more. Definitions: metrics.h.
//
// Rows whose target is not known are left out. Pure functions; safe from any thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "datasets/targets.h"
#include "probes/probe.h"
#include "probes/views.h"

namespace vise::probes {

using Metrics = std::map<std::string, std::optional<double>>;

// Error{input} where no row is known or scores and targets don't match.
Metrics evaluate(const Scores& scores, const datasets::Targets& targets, const Calibration& calibration = {});

// A macro average over classes without a test image is a choice: what a table's foot says of it, or "" where test has
// every class (or a 1 of every label), and for other kinds of targets.
std::string absent_classes_note(const datasets::Targets& test);

// What a table ranks by: "accuracy", "map", "kl", "r2".
std::string primary_metric(datasets::TargetKind kind);
// What candidates are compared by unless an option says otherwise: "accuracy", "map", "neg_kl", "r2".
std::string selection_metric(datasets::TargetKind kind);
// The names evaluate() gives for `classes` classes (or one value).
std::vector<std::string> metric_names(datasets::TargetKind kind, std::size_t classes);
// False for losses and errors: kl, log_loss, brier, ece, mae ...
bool higher_is_better(const std::string& metric);

// The score of a candidate, higher is better: one of evaluate()'s metrics, or "neg_" before one that is better low.
// Undefined = -infinity. Error{usage} with the nearest name for an unknown metric.
double selection_score(const Scores& scores, const datasets::Targets& targets, const std::string& metric);
// Error{usage} with the nearest name unless selection_score knows `metric`.
void check_selection_metric(const std::string& metric, datasets::TargetKind kind);

// What test scores are judged with, fitted on val: the softmax temperature that minimises val's log loss (classes), or
// the threshold with val's best macro F1, of the probabilities .05 to .95 in steps of .05 (multi-label). `fitted_on`
// names it. Thresholds are in units of the scores, logits.
Calibration calibrate(const Scores& val, const datasets::Targets& targets, std::string fitted_on);

}  // namespace vise::probes
