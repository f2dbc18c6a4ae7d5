#include "probes/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/error.h"
#include "base/text.h"
#include "probes/metric_registry.h"
#include "probes/metrics.h"

namespace vise {
namespace {

// Scores and targets of the rows whose target is known.
struct Known {
  Targets targets;
  std::vector<double> scores;
};

Known known_rows(const Scores& scores, const Targets& targets) {
  if (scores.rows != targets.size() || scores.columns != targets.width()) {
    throw Error(ErrorKind::input, fmt::format("scores are {} x {}, targets {} x {}", scores.rows, scores.columns,
                                              targets.size(), targets.width()));
  }
  std::vector<std::uint32_t> rows;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (targets.known(i)) rows.push_back(static_cast<std::uint32_t>(i));
  }
  if (rows.empty()) throw Error(ErrorKind::input, "no row has a known target");
  Known known{targets.select(rows), {}};
  known.scores.reserve(rows.size() * scores.columns);
  for (const std::uint32_t row : rows) {
    const double* const from = scores.values.data() + row * scores.columns;
    known.scores.insert(known.scores.end(), from, from + scores.columns);
  }
  return known;
}

// Classes that no row has, or labels that are never 1. None of other kinds.
std::vector<std::string> classes_without_rows(const Targets& targets) {
  const bool classes = targets.kind() == TargetKind::classes;
  if (!classes && targets.kind() != TargetKind::multi_label) return {};
  const std::size_t width = targets.width();
  std::vector<bool> seen(width, false);
  if (classes)
    for (const int k : targets.classes()) {
      if (k >= 0) seen[static_cast<std::size_t>(k)] = true;
    }
  else
    for (std::size_t j = 0; j < targets.multi_label().size(); ++j)
      if (targets.multi_label()[j] == 1) seen[j % width] = true;
  std::vector<std::string> names;
  for (std::size_t k = 0; k < width; ++k)
    if (!seen[k]) names.push_back(targets.names()[k]);
  return names;
}

// What the classes with the highest scores say. A sweep asks for one of these at every candidate, and sorting all
// scores for the others would take a twentieth of its time.
Metrics evaluate_decisions(const Known& known) {
  const std::size_t classes = known.targets.width();
  const ClassReport report =
      class_report(confusion(known.targets.classes(), argmax_rows(known.scores, classes), classes));
  Metrics m{{"accuracy", report.accuracy},
            {"balanced_accuracy", report.balanced_accuracy},
            {"f1_macro", report.f1_macro},
            {"f1_weighted", report.f1_weighted},
            {"kappa", report.kappa}};
  if (!classes_without_rows(known.targets).empty()) m["f1_macro_seen"] = report.f1_macro_seen;
  return m;
}

Metrics evaluate_classes(const Known& known, const Calibration& calibration) {
  const std::size_t classes = known.targets.width();
  const auto truth = known.targets.classes();
  const std::vector<double>& z = known.scores;
  Metrics m = evaluate_decisions(known);
  const std::vector<double> prob = softmax_rows(z, classes);
  if (calibration.scores_are_logits) {
    m["log_loss"] = log_loss(prob, classes, truth);
    m["brier"] = classes == 2 ? brier(prob, truth) : brier_sum(prob, classes, truth);
    m["ece"] = calibration_error(prob, classes, truth);
    m["ece_calibrated"] = calibration_error(softmax_rows(z, classes, calibration.temperature), classes, truth);
  }
  if (classes == 2) {
    std::vector<std::uint8_t> positive(truth.begin(), truth.end());
    m["auc"] = auc(score_differences(z), positive);
    m["average_precision"] = average_precision(score_differences(z), positive);
  } else {
    const std::vector<double>& ranked = calibration.scores_are_logits ? prob : z;
    m["auc_ovr_macro"] = auc_one_vs_rest(ranked, classes, truth).mean;
    m["map"] = average_precision_one_vs_rest(ranked, classes, truth).mean;
  }
  if (classes > 5) m["top5"] = top_k(z, classes, truth, 5);
  return m;
}

Metrics evaluate_labels(const Known& known, const Calibration& calibration) {
  const LabelReport r =
      label_report(known.targets.multi_label(), known.scores, known.targets.width(), calibration.threshold);
  return {{"map", r.map.mean},           {"auc_macro", r.auc.mean},
          {"f1_macro", r.f1_macro},      {"f1_micro", r.f1_micro},
          {"f1_samples", r.f1_samples},  {"f1_samples_empty_right", r.f1_samples_empty_right},
          {"exact_match", r.exact_match}};
}

Metrics evaluate_distribution(const Known& known) {
  const std::size_t classes = known.targets.width();
  const DistributionReport r = distribution_report(known.targets.rows(), softmax_rows(known.scores, classes), classes);
  return {{"kl", r.kl},
          {"cross_entropy", r.cross_entropy},
          {"js", r.js},
          {"accuracy_within_votes", r.accuracy_within_votes},
          {"majority_accuracy", r.majority_accuracy},
          {"vote_share", r.vote_share},
          {"vote_share_ceiling", r.vote_share_ceiling}};
}

Metrics evaluate_one_value(std::span<const double> truth, std::span<const double> predicted) {
  const ValueReport r = value_report(truth, predicted);
  return {{"r2", r.r2},   {"pearson", r.pearson}, {"spearman", r.spearman},
          {"ccc", r.ccc}, {"mae", r.mae},         {"rmse", r.rmse}};
}

Metrics evaluate_values(const Known& known) {
  const std::size_t width = known.targets.width();
  if (width == 1) return evaluate_one_value(known.targets.rows(), known.scores);
  std::map<std::string, std::vector<std::optional<double>>> by_metric;
  Metrics m;
  for (std::size_t t = 0; t < width; ++t) {
    std::vector<double> truth, predicted;
    for (std::size_t j = t; j < known.scores.size(); j += width) {
      truth.push_back(known.targets.rows()[j]);
      predicted.push_back(known.scores[j]);
    }
    for (const auto& [name, value] : evaluate_one_value(truth, predicted)) {
      by_metric[name].push_back(value);
      m[fmt::format("{}:{}", name, known.targets.names()[t])] = value;
    }
  }
  for (const auto& [name, values] : by_metric) m[name] = mean_defined(values).mean;
  return m;
}

// Golden-section search for the minimum of a unimodal function.
template <typename Function>
double minimise(double low, double high, const Function& f) {
  const double golden = (std::sqrt(5.0) - 1) / 2;
  double a = high - golden * (high - low), b = low + golden * (high - low);
  double fa = f(a), fb = f(b);
  for (int step = 0; step < 80; ++step) {
    if (fa <= fb) {
      high = b, b = a, fb = fa;
      a = high - golden * (high - low), fa = f(a);
    } else {
      low = a, a = b, fa = fb;
      b = low + golden * (high - low), fb = f(b);
    }
  }
  return (low + high) / 2;
}

// The negative log-likelihood is convex in 1/T, so unimodal in log T.
double best_temperature(const Known& known) {
  const std::size_t classes = known.targets.width();
  std::vector<double> scaled(known.scores.size());
  const double log_t = minimise(std::log(1e-3), std::log(1e3), [&](double t) {
    std::transform(known.scores.begin(), known.scores.end(), scaled.begin(), [&](double z) { return z / std::exp(t); });
    return negative_log_likelihood(scaled, classes, known.targets.classes());
  });
  return std::exp(log_t);
}

// Intentonomy's rule (eval_utils): 19 thresholds, the first best macro F1.
double best_threshold(const Known& known) {
  double best = -1, threshold = 0;
  for (int step = 1; step <= 19; ++step) {
    const double p = step / 20.0, z = std::log(p / (1 - p));
    const double f1 = label_f1_macro(known.targets.multi_label(), known.scores, known.targets.width(), z);
    if (f1 > best) best = f1, threshold = z;
  }
  return threshold;
}

Metrics evaluate_builtin(const Known& known, const Calibration& calibration) {
  switch (known.targets.kind()) {
    case TargetKind::classes:
      return evaluate_classes(known, calibration);
    case TargetKind::multi_label:
      return evaluate_labels(known, calibration);
    case TargetKind::distribution:
      return evaluate_distribution(known);
    case TargetKind::values:
      break;
  }
  return evaluate_values(known);
}

// The names of evaluate()'s own.
std::vector<std::string> builtin_names(TargetKind kind, std::size_t classes) {
  if (kind == TargetKind::multi_label) {
    return {"map", "auc_macro", "f1_macro", "f1_micro", "f1_samples", "f1_samples_empty_right", "exact_match"};
  }
  if (kind == TargetKind::distribution) {
    return {"kl",         "cross_entropy",     "js", "accuracy_within_votes", "majority_accuracy",
            "vote_share", "vote_share_ceiling"};
  }
  if (kind == TargetKind::values) return {"r2", "pearson", "spearman", "ccc", "mae", "rmse"};
  std::vector<std::string> names{"accuracy", "balanced_accuracy", "f1_macro", "f1_weighted"};
  if (classes == 2) names.insert(names.end(), {"auc", "average_precision"});
  if (classes != 2) names.insert(names.end(), {"auc_ovr_macro", "map"});
  if (classes > 5) names.push_back("top5");
  names.insert(names.end(), {"kappa", "log_loss", "brier", "ece", "ece_calibrated"});
  return names;
}

}  // namespace

Metrics evaluate(const Scores& scores, const Targets& targets, const Calibration& calibration) {
  const Known known = known_rows(scores, targets);
  Metrics metrics = evaluate_builtin(known, calibration);
  for (const UserMetric& metric : MetricRegistry::instance().all())
    if (metric.kind == targets.kind())
      metrics[metric.name] = metric.compute({known.targets.size(), scores.columns, known.scores}, known.targets);
  return metrics;
}

std::string absent_classes_note(const Targets& test) {
  constexpr std::size_t kShown = 5;
  std::vector<std::string> absent = classes_without_rows(test);
  const std::size_t count = absent.size();
  if (count == 0) return {};
  if (count > kShown) absent.resize(kShown);
  return fmt::format("test has no image of {}{}: macro-F1 counts {} as 0{}", join(absent, ", "),
                     count > kShown ? fmt::format(" and {} more", count - kShown) : "", count == 1 ? "it" : "each",
                     test.kind() == TargetKind::classes
                         ? "; f1_macro_seen in the results leaves out what neither test nor predictions have"
                         : "");
}

std::string primary_metric(TargetKind kind) {
  switch (kind) {
    case TargetKind::classes:
      return "accuracy";
    case TargetKind::multi_label:
      return "map";
    case TargetKind::distribution:
      return "kl";
    case TargetKind::values:
      break;
  }
  return "r2";
}

std::string selection_metric(TargetKind kind) {
  const std::string metric = primary_metric(kind);
  return higher_is_better(metric) ? metric : "neg_" + metric;
}

std::vector<std::string> metric_names(TargetKind kind, std::size_t classes) {
  std::vector<std::string> names = builtin_names(kind, classes);
  for (const UserMetric& metric : MetricRegistry::instance().all())
    if (metric.kind == kind) names.push_back(metric.name);
  return names;
}

bool higher_is_better(const std::string& metric) {
  static const std::vector<std::string> kLow{"kl",  "cross_entropy",  "js",  "log_loss", "brier",
                                             "ece", "ece_calibrated", "mae", "rmse"};
  const std::string name = metric.substr(0, metric.find(':'));
  for (const UserMetric& user : MetricRegistry::instance().all())
    if (user.name == name) return user.higher_is_better;
  return std::find(kLow.begin(), kLow.end(), name) == kLow.end();
}

void check_selection_metric(const std::string& metric, TargetKind kind) {
  std::vector<std::string> known;
  for (const std::size_t classes : {std::size_t{2}, std::size_t{6}}) {
    for (const std::string& name : metric_names(kind, classes))
      known.push_back(higher_is_better(name) ? name : "neg_" + name);
  }
  std::sort(known.begin(), known.end());
  known.erase(std::unique(known.begin(), known.end()), known.end());
  if (std::find(known.begin(), known.end(), metric) != known.end()) return;
  throw Error(ErrorKind::usage, fmt::format("cannot choose by '{}' for {} targets", metric, target_kind_name(kind)),
              suggest(metric, known));
}

double selection_score(const Scores& scores, const Targets& targets, const std::string& metric) {
  constexpr double kUndefined = -std::numeric_limits<double>::infinity();
  const bool negative = metric.starts_with("neg_");
  const std::string name = negative ? metric.substr(4) : metric;
  Metrics metrics;
  if (targets.kind() == TargetKind::classes) metrics = evaluate_decisions(known_rows(scores, targets));
  if (!metrics.contains(name)) metrics = evaluate(scores, targets);
  const auto found = metrics.find(name);
  if (found == metrics.end() || !found->second) return kUndefined;
  return negative ? -*found->second : *found->second;
}

Calibration calibrate(const Scores& val, const Targets& targets, std::string fitted_on) {
  Calibration calibration;
  const Known known = known_rows(val, targets);
  if (targets.kind() == TargetKind::classes)
    calibration.temperature = best_temperature(known);
  else if (targets.kind() == TargetKind::multi_label)
    calibration.threshold = best_threshold(known);
  else
    return calibration;
  calibration.fitted_on = std::move(fitted_on);
  return calibration;
}

}  // namespace vise
