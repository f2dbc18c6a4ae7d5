// Means over tasks that stand for tasks like them, and differences of such means between kinds of tasks.
//
//   const TaskContrast mean = mean_over_tasks(gains, covariance, 0.95);
//   const TaskContrast more = difference_of_kinds(gains, covariance, of_first_kind, 0.95);
//
// Model: the gain d_t of task t is the kind's mean + what is the task's own (variance s^2) + the error of its test
// images and training runs, whose covariance V is known. A contrast c = sum of a_t d_t (a mean over tasks, or the mean
// of one kind less that of another) is judged as t judges a mean, with the tasks as units: by c^2 / RSS, RSS being the
// squares of the gains about their kind's mean.
//
// Where tasks are equally well measured that is Student's t with (tasks - kinds) degrees of freedom, and right at every
// s^2; no other test of these numbers is. Where they are not, t rejects too rarely (Ibragimov and Mueller 2010, Journal
// of Business and Economic Statistics 28, 453-468: at most 5 % for any variances), 2 % with three tasks of 50 to 2000
// images that differ in nothing but their images. So the law of c^2 / RSS is computed for these V and an s^2: a
// quadratic form in normal values with one positive eigenvalue, P = 2/pi int_0^{pi/2} prod sqrt(sin^2 x / (sin^2 x +
// l_i)) dx. s^2 is taken at an upper confidence limit by the Q profile (Viechtbauer 2007, Statistics in Medicine 26,
// 37-52), since with few tasks it is known badly and too small a one rejects too often. A percentile bootstrap over
// tasks would not do: of three tasks it covers 75 %.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "reports/statistics/interval.h"

namespace vise::reports {

struct TaskContrast {
  double value = 0;
  // Nothing for no more tasks than kinds. Where gains are equal within kinds: p is 1 of 0 and nothing else.
  std::optional<double> p;           // two-sided, of the contrast being 0
  std::optional<Interval> interval;  // excludes 0 where p < 1 - level
  double between = 0;                // s, the tasks' own standard deviation, by moments; at least 0
};

// `covariance` is tasks x tasks, row-major: V. All 0 where no error is known; then Student's t.
TaskContrast mean_over_tasks(std::span<const double> gains, std::span<const double> covariance, double level);

// The mean over tasks marked 1 less that over those marked 0; both exist.
TaskContrast difference_of_kinds(std::span<const double> gains, std::span<const double> covariance,
                                 std::span<const std::uint8_t> of_first_kind, double level);

}  // namespace vise::reports
