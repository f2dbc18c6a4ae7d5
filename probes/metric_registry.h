// Metrics of a user's own, beside the built-in ones.
//
//   vise::MetricRegistry::instance().add({.name = "cost", .kind = vise::TargetKind::classes, .higher_is_better = false,
//                                         .compute = [](const vise::Scores& s, const vise::Targets& t) { ... }});
//
// It is then in every result for targets of its kind, a task may rank by it (`metric: cost`), and a probe may choose by
// it (`metric=neg_cost`).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "datasets/targets.h"
#include "probes/views.h"

namespace vise {

struct UserMetric {
  std::string name;  // its key in results; not one of evaluate()'s
  TargetKind kind = TargetKind::classes;
  bool higher_is_better = true;
  // Of rows whose target is known, one score a class, label or value; nothing where it is undefined. Called from
  // several threads at once.
  std::function<std::optional<double>(const Scores&, const Targets&)> compute;
};

// Filled at start, read afterwards.
class MetricRegistry {
 public:
  static MetricRegistry& instance();
  void add(UserMetric metric);  // Error{usage} for a name that is taken
  const std::vector<UserMetric>& all() const { return metrics_; }

 private:
  std::vector<UserMetric> metrics_;
};

}  // namespace vise
