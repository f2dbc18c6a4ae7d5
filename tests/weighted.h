// Metrics of decisions and scores that a test writes down, without the files around them.
#pragma once

#include <string>
#include <vector>

#include "probes/metrics/weighted.h"

namespace vise::test {

inline datasets::Targets class_targets(const std::vector<int>& y, std::size_t classes) {
  std::vector<std::string> names;
  for (std::size_t k = 0; k < classes; ++k) names.push_back(std::to_string(k));
  return datasets::Targets::from_classes(y, names);
}

// `scores` is y.size() x classes, or one a row for two classes.
inline probes::WeightedMetrics scored(const std::vector<int>& y, const std::vector<double>& scores,
                                      std::size_t classes) {
  return {{y.size(), scores.size() / y.size(), scores}, class_targets(y, classes), {}};
}

// Of predicted classes: no more than what they say.
inline probes::WeightedMetrics decided(const std::vector<int>& y, const std::vector<int>& predicted,
                                       std::size_t classes) {
  probes::Scores scores{y.size(), classes, std::vector<double>(y.size() * classes)};
  for (std::size_t i = 0; i < y.size(); ++i) scores.values[i * classes + static_cast<std::size_t>(predicted[i])] = 1;
  return {scores, class_targets(y, classes), {}, "accuracy"};
}

}  // namespace vise::test
