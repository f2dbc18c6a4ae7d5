#include "probes/metric_registry.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "probes/evaluate.h"

namespace vise {

MetricRegistry& MetricRegistry::instance() {
  static MetricRegistry registry;
  return registry;
}

void MetricRegistry::add(UserMetric metric) {
  for (const std::size_t classes : {std::size_t{2}, std::size_t{6}}) {
    const std::vector<std::string> taken = metric_names(metric.kind, classes);
    if (std::ranges::find(taken, metric.name) != taken.end())
      throw Error(ErrorKind::usage, fmt::format("there is a metric '{}' already", metric.name),
                  "give yours another name");
  }
  metrics_.push_back(std::move(metric));
}

}  // namespace vise
