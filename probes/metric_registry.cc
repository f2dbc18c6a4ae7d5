#include "probes/metric_registry.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"

namespace vise::probes {

std::vector<std::string> builtin_metric_names(datasets::TargetKind kind, std::size_t classes) {
  if (kind == datasets::TargetKind::multi_label) {
    return {"map", "auc_macro", "f1_macro", "f1_micro", "f1_samples", "f1_samples_empty_right", "exact_match"};
  }
  if (kind == datasets::TargetKind::distribution) {
    return {"kl",         "cross_entropy",     "js", "accuracy_within_votes", "majority_accuracy",
            "vote_share", "vote_share_ceiling"};
  }
  if (kind == datasets::TargetKind::values) return {"r2", "pearson", "spearman", "ccc", "mae", "rmse"};
  // Of two classes rankings are of the second class's score; of more they are means over one against the rest.
  std::vector<std::string> names{"accuracy", "balanced_accuracy", "f1_macro", "f1_weighted"};
  if (classes == 2) names.insert(names.end(), {"auc", "average_precision"});
  if (classes != 2) names.insert(names.end(), {"auc_ovr_macro", "map"});
  if (classes > 5) names.push_back("top5");
  names.insert(names.end(), {"kappa", "log_loss", "brier", "ece", "ece_calibrated"});
  return names;
}

MetricRegistry& MetricRegistry::instance() {
  static MetricRegistry registry;
  return registry;
}

void MetricRegistry::add(UserMetric metric) {
  // Metrics of different kinds of targets may share a name, as f1_macro does.
  bool taken = std::ranges::find(metrics_, std::pair(metric.kind, metric.name), [](const UserMetric& other) {
                 return std::pair(other.kind, other.name);
               }) != metrics_.end();
  // Two numbers of classes between them have every built-in name.
  for (const std::size_t classes : {std::size_t{2}, std::size_t{6}}) {
    const std::vector<std::string> builtin = builtin_metric_names(metric.kind, classes);
    taken = taken || std::ranges::find(builtin, metric.name) != builtin.end();
  }
  if (taken)
    throw Error(ErrorKind::usage, fmt::format("there is a metric '{}' already", metric.name),
                "give yours another name");
  metrics_.push_back(std::move(metric));
}

}  // namespace vise::probes
