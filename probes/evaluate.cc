#include "probes/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/error.h"
#include "base/text.h"
#include "probes/matrix.h"
#include "probes/metric_registry.h"
#include "probes/metrics/metrics.h"
#include "probes/metrics/weighted.h"

namespace vise::probes {
namespace {

// Scores and targets of the rows whose target is known.
struct Known {
  datasets::Targets targets;
  std::vector<double> scores;
};

// Every metric begins here, so none of them has to think of unknown targets.
Known known_rows(const Scores& scores, const datasets::Targets& targets) {
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
std::vector<std::string> classes_without_rows(const datasets::Targets& targets) {
  const bool classes = targets.kind() == datasets::TargetKind::classes;
  if (!classes && targets.kind() != datasets::TargetKind::multi_label) return {};
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

// Golden-section search for the minimum of a unimodal function.
template <typename Function>
double minimise(double low, double high, const Function& f) {
  const double golden = (std::sqrt(5.0) - 1) / 2;
  double a = high - golden * (high - low), b = low + golden * (high - low);
  double fa = f(a), fb = f(b);
  // 80 steps narrow the interval by 0.618^80, far below a double's resolution; each needs one new value.
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
// The T between 1e-3 and 1e3 that minimises the mean negative log-likelihood of softmax(z / T).
double best_temperature(const Known& known) {
  const ConstView<double> scores = view<double>(known.scores, known.targets.width());
  Matrix<double> scaled(scores.rows(), scores.cols());
  // Guo et al. 2017: one temperature for all classes changes no decision, only how sure it is.
  const double log_t = minimise(std::log(1e-3), std::log(1e3), [&](double t) {
    scaled = scores / std::exp(t);
    return negative_log_likelihood(scaled, known.targets.classes());
  });
  return std::exp(log_t);
}

// Intentonomy's rule (eval_utils): 19 thresholds, the first best macro F1.
double best_threshold(const Known& known) {
  const std::size_t labels = known.targets.width();
  const ConstView<std::int8_t> truth = view(known.targets.multi_label(), labels);
  const ConstView<double> scores = view<double>(known.scores, labels);
  double best = -1, threshold = 0;
  for (int step = 1; step <= 19; ++step) {
    // Scores are log odds, so a threshold of p on probabilities is one of log(p / (1 - p)) on them.
    const double p = step / 20.0, z = std::log(p / (1 - p));
    const double f1 = label_f1_macro(truth, scores, z);
    if (f1 > best) best = f1, threshold = z;
  }
  return threshold;
}

// All metrics of these rows, or what is needed for `only`; NaN inside becomes nothing outside.
Metrics evaluate_known(const Known& known, const Calibration& calibration, std::string_view only = {}) {
  const WeightedMetrics weighted({known.targets.size(), known.targets.width(), known.scores}, known.targets,
                                 calibration, only);
  const std::vector<std::string> all = weighted.names();
  const std::vector<std::string_view> names(all.begin(), all.end());
  std::vector<double> values(names.size());
  weighted.evaluate(names, {}, values);
  Metrics metrics;
  for (std::size_t m = 0; m < names.size(); ++m)
    // Inside, NaN says that a metric is not defined for these rows (an AUC of one class
    // only); outside, its absence does.
    metrics[all[m]] = std::isnan(values[m]) ? std::nullopt : std::optional(values[m]);
  return metrics;
}

}  // namespace

Metrics evaluate(const Scores& scores, const datasets::Targets& targets, const Calibration& calibration) {
  return evaluate_known(known_rows(scores, targets), calibration);
}

// Names at most five classes, so that a footnote stays a sentence.
std::string absent_classes_note(const datasets::Targets& test) {
  constexpr std::size_t kShown = 5;
  std::vector<std::string> absent = classes_without_rows(test);
  const std::size_t count = absent.size();
  if (count == 0) return {};
  if (count > kShown) absent.resize(kShown);
  return fmt::format("test has no image of {}{}: macro-F1 counts {} as 0{}", join(absent, ", "),
                     count > kShown ? fmt::format(" and {} more", count - kShown) : "", count == 1 ? "it" : "each",
                     test.kind() == datasets::TargetKind::classes
                         ? "; f1_macro_seen in the results leaves out what neither test nor predictions have"
                         : "");
}

std::string primary_metric(datasets::TargetKind kind) {
  switch (kind) {
    case datasets::TargetKind::classes:
      return "accuracy";
    case datasets::TargetKind::multi_label:
      return "map";
    case datasets::TargetKind::distribution:
      return "kl";
    case datasets::TargetKind::values:
      break;
  }
  return "r2";
}

// Selection maximises: of a loss its negative is taken.
std::string selection_metric(datasets::TargetKind kind) {
  const std::string metric = primary_metric(kind);
  return higher_is_better(metric) ? metric : "neg_" + metric;
}

std::vector<std::string> metric_names(datasets::TargetKind kind, std::size_t classes) {
  std::vector<std::string> names = builtin_metric_names(kind, classes);
  for (const UserMetric& metric : MetricRegistry::instance().all())
    if (metric.kind == kind) names.push_back(metric.name);
  return names;
}

// Of "r2:NAME", one value's own, what counts is the name before the colon.
bool higher_is_better(const std::string& metric) {
  static const std::vector<std::string> kLow{"kl",  "cross_entropy",  "js",  "log_loss", "brier",
                                             "ece", "ece_calibrated", "mae", "rmse"};
  const std::string name = metric.substr(0, metric.find(':'));
  for (const UserMetric& user : MetricRegistry::instance().all())
    if (user.name == name) return user.higher_is_better;
  return std::find(kLow.begin(), kLow.end(), name) == kLow.end();
}

void check_selection_metric(const std::string& metric, datasets::TargetKind kind) {
  std::vector<std::string> known;
  // The names depend on the number of classes: 2 has auc, 6 the first with top5.
  for (const std::size_t classes : {std::size_t{2}, std::size_t{6}}) {
    for (const std::string& name : metric_names(kind, classes))
      known.push_back(higher_is_better(name) ? name : "neg_" + name);
  }
  std::sort(known.begin(), known.end());
  known.erase(std::unique(known.begin(), known.end()), known.end());
  if (std::find(known.begin(), known.end(), metric) != known.end()) return;
  throw Error(ErrorKind::usage,
              fmt::format("cannot choose by '{}' for {} targets", metric, datasets::target_kind_name(kind)),
              suggest(metric, known));
}

double selection_score(const Scores& scores, const datasets::Targets& targets, const std::string& metric) {
  // A candidate whose metric is not defined on the held-out rows loses to any other.
  constexpr double kUndefined = -std::numeric_limits<double>::infinity();
  const bool negative = metric.starts_with("neg_");
  const std::string name = negative ? metric.substr(4) : metric;
  const Metrics metrics = evaluate_known(known_rows(scores, targets), {}, name);
  const auto found = metrics.find(name);
  if (found == metrics.end() || !found->second) return kUndefined;
  return negative ? -*found->second : *found->second;
}

// Fitted on held-out rows alone; on rows that the probe was fitted to it would find the
// probe too sure of itself by design.
Calibration calibrate(const Scores& val, const datasets::Targets& targets, std::string fitted_on) {
  Calibration calibration;
  const Known known = known_rows(val, targets);
  if (targets.kind() == datasets::TargetKind::classes)
    calibration.temperature = best_temperature(known);
  else if (targets.kind() == datasets::TargetKind::multi_label)
    calibration.threshold = best_threshold(known);
  else
    return calibration;
  calibration.fitted_on = std::move(fitted_on);
  return calibration;
}

}  // namespace vise::probes
