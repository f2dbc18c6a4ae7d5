// Metrics of a user's own, beside the built-in ones.
//
//   vise::probes::MetricRegistry::instance().add(
//       {.name = "cost", .kind = vise::datasets::TargetKind::classes, .higher_is_better = false,
//        .compute = [](const vise::probes::Scores& s, const vise::datasets::Targets& t) { ... }});
//
// It is then in every result for targets of its kind, with an interval in tables; a task may rank by it
// (`metric: cost`), and a probe may choose by it (`metric=neg_cost`).
//
// Intervals ask for a metric of ten thousand resamples. `compute` gets them written out, row by row. A metric that
// sorts or compares gives `prepare` instead, which does so once and is then asked for its value under counts:
//
//   .prepare = [](const vise::probes::Scores& s, const vise::datasets::Targets& t) -> vise::probes::WeightedMetric {
//     return [costs = costs_of(s, t)](std::span<const std::uint16_t> counts) { ... sum of counts[i] * costs[i] ... };
//   }
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "datasets/targets.h"
#include "probes/views.h"

namespace vise::probes {

// The value where row i counts counts[i] times, all 1: the rows as they are.
using WeightedMetric = std::function<std::optional<double>(std::span<const std::uint16_t> counts)>;

struct UserMetric {
  std::string name;  // its key in results; not one of evaluate()'s
  datasets::TargetKind kind = datasets::TargetKind::classes;
  bool higher_is_better = true;
  // Of rows whose target is known, one score a class, label or value; nothing where it is undefined. Called from
  // several threads at once.
  std::function<std::optional<double>(const Scores&, const datasets::Targets&)> compute = {};
  // Instead of `compute`. Scores and targets outlive what it returns.
  std::function<WeightedMetric(const Scores&, const datasets::Targets&)> prepare = {};
};

// The names of the built-in ones that evaluate() gives for `classes` classes (or one value).
std::vector<std::string> builtin_metric_names(datasets::TargetKind kind, std::size_t classes);

// Filled at start, read afterwards.
class MetricRegistry {
 public:
  static MetricRegistry& instance();
  void add(UserMetric metric);  // Error{usage} for a name that is taken
  const std::vector<UserMetric>& all() const { return metrics_; }

 private:
  std::vector<UserMetric> metrics_;
};

}  // namespace vise::probes
