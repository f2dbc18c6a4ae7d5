// The corrected resampled t-test: a mean over several drawn splits of one data set, whose parts overlap.
//
//   const CorrectedT test = corrected_t(differences, 0.25, 0.95);    // of 5 splits, test a quarter as large as train
//
// Values of splits that share most of their training images and part of their test images vary less than values of new
// data would. Nadeau and Bengio (2003, Machine Learning 52): the variance of the mean of J values is taken as
// (1/J + n_test / n_train) s^2, with s^2 their variance (ddof 1), and t has J - 1 degrees of freedom.
#pragma once

#include <optional>
#include <span>

#include "reports/statistics/interval.h"

namespace vise::reports {

struct CorrectedT {
  double mean = 0;
  // Nothing for fewer than two values. Where all values are the same: p is 1 if they are 0, else nothing; no interval.
  std::optional<double> t, p;
  std::optional<Interval> interval;  // of the mean; excludes 0 where p < 1 - level
};

// `values` isn't empty; `test_to_train` is n_test / n_train, train being all that was learnt from, val included.
CorrectedT corrected_t(std::span<const double> values, double test_to_train, double level);

}  // namespace vise::reports
