// Solvers for the problems of pass.h: a path over C for choosing, and a finish in double for the final fit.
//
// The path goes from strong to weak regularisation and solves all problems (folds, labels) of one C in lockstep, by
// L-BFGS on products in float32. Three things make it short. Each C begins where a line through the last two solutions
// or a parabola through the last three points, in log C, whichever is better: on classes that a plane separates the
// weights grow along a fixed direction with log C, and most of the large Cs are done after one pass. Steps are
// preconditioned with what all the problems' Hessians have in common, X'DX + I/C, D the rows' mean p (1 - p) where the
// search begins. And problems that have arrived drop out.
//
// The finish is Newton's method: with the Hessian itself where it is small, else by conjugate gradients. Results don't
// depend on the number of threads.
#pragma once

#include <functional>
#include <limits>
#include <span>
#include <vector>

#include "base/log.h"
#include "probes/logistic/pass.h"
#include "probes/logistic/preconditioner.h"

namespace vise::probes {

struct LogisticPoint {
  Matrix<double> x;
  double loss = 0, objective = 0;
  double decrement =
      std::numeric_limits<double>::infinity();  // half the squared preconditioned gradient, of the objective
  double gradient_max = 0;                      // max-norm of the plain gradient
  double scale = 1;                             // of the preconditioner, as the last steps found it
  std::size_t choice = 0;                       // of the places where it could begin, the best
  int passes = 0;                               // over the features
  bool converged = false;
};

struct LogisticSettings {
  // Decrement, relative to the objective and to what the weights gain over none, whichever is less (see
  // solve_logistic_path). On omi300 and bass no val image is classed otherwise than at the true optima; at 1e-6 some
  // are.
  double stop = 1e-7;
  int memory = 8, most_passes = 400;
};

// Where a search may begin: one a problem.
using LogisticStarts = std::vector<Matrix<double>>;

// Each problem's objective at W = 0, the intercepts at their best.
std::vector<double> losses_without_weights(LogisticPass& pass, std::span<const LogisticProblem> problems, int threads);

// Several problems at one C.
struct LogisticTask {
  double c = 1;
  std::span<const LogisticProblem> problems;
  std::span<const LogisticStarts> choices;  // places where a search may begin: all are evaluated in the first pass
  // Points whose loss is known, one a problem, or none: one that is better than all choices is taken instead, and the
  // scale of each is where a search begins.
  std::span<const LogisticPoint> fallback;
  // losses_without_weights(), or none: the stop is then relative to the objective alone, which says little where C is
  // so small that the weights gain next to nothing.
  std::span<const double> without_weights;
};

// Solves all problems of a task, each from the best of its choices.
template <typename T>
std::vector<LogisticPoint> solve_logistic(LogisticPass& pass, LogisticPreconditioner& preconditioner,
                                          const LogisticTask& task, const LogisticSettings& settings,
                                          const Context& context);

// Every C of the ascending `grid`; done(i, points) after each.
void solve_logistic_path(LogisticPass& pass, LogisticPreconditioner& preconditioner, std::span<const double> grid,
                         std::span<const LogisticProblem> problems, const LogisticSettings& settings,
                         const Context& context,
                         const std::function<void(std::size_t, const std::vector<LogisticPoint>&)>& done);

// Newton's method in double from `from`, until the objective can't fall by more than `stop` of itself. All rows;
// problem.held_out must be -1.
LogisticPoint finish_logistic(LogisticPass& pass, LogisticPreconditioner& preconditioner, double c,
                              const LogisticProblem& problem, LogisticPoint from, double stop, const Context& context);

// The penalty ||W||^2 / (2 C) of a point.
double logistic_penalty(const Matrix<double>& x, double c);

}  // namespace vise::probes
