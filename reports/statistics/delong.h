// DeLong's test for two ROC curves on the same items (DeLong, DeLong, Clarke-Pearson 1988), by mid-ranks in
// O(N log N) (Sun, Xu 2014).
#pragma once

#include <optional>
#include <span>

#include "reports/statistics/interval.h"

namespace vise::reports {

struct DeLong {
  // Nothing with one class only.
  std::optional<double> auc_a, auc_b;
  // Variances and covariance of the two AUCs; nothing with fewer than two items of a class.
  std::optional<double> var_a, var_b, cov;
  // (auc_a - auc_b) / sqrt(var_a + var_b - 2 cov) and its two-sided normal p; nothing where that variance is 0.
  std::optional<double> z, p;
};

// y[i] != 0: positive. The three spans are equally long. Ties count one half.
DeLong delong(std::span<const int> y, std::span<const double> a, std::span<const double> b);

// Of auc_a - auc_b: the normal one, which excludes 0 exactly where p < 1 - level. Nothing where z is nothing.
std::optional<Interval> delong_interval(const DeLong& test, double level);

}  // namespace vise::reports
