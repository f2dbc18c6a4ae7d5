// Student's t-test of paired values: the metric of two models over the same seeds.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "reports/statistics/interval.h"

namespace vise::reports {

struct PairedT {
  double mean_difference = 0;  // of a - b
  std::int64_t df = 0;
  // Nothing for fewer than two pairs or equal differences; p is two-sided, the interval of the mean difference.
  std::optional<double> t, p;
  std::optional<Interval> interval;
};

// The spans are equally long and not empty.
PairedT paired_t(std::span<const double> a, std::span<const double> b, double level);

}  // namespace vise::reports
