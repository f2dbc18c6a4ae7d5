// What makes the searches of solver.h short: the inverse of what the Hessians of all their problems have in
// common.
#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <vector>

#include "probes/logistic/pass.h"
#include "probes/logistic/triangular_tiles.h"

namespace vise::probes {

// The inverse of A'DA + (I/C for the weights, 0 for the intercept), A = (x - means, 1), D the curvature of the losses
// (LogisticPass::evaluate): what the Hessians of all problems and outputs have in common.
class LogisticPreconditioner {
 public:
  LogisticPreconditioner(const LogisticPass& pass, int threads);

  // Makes the factor fit for `c` and a curvature. A D' that is a multiple s of the D in use needs nothing new, since
  // s A'DA + I/C = s (A'DA + I/(s C)), and one factor serves a decade of s C. On separable classes s falls as C grows:
  // after the middle of a grid one factor serves the rest.
  void prepare(double c, std::vector<double> curvature);
  // out[i] = M^-1 in[i]; points as in pass.h.
  std::vector<Matrix<double>> apply(std::span<const Matrix<double>* const> in) const;

 private:
  // A'DA of one curvature D.
  struct Gram {
    Matrix<double> values;       // lower triangle
    std::vector<double> shares;  // of the rows in D
    double sum = 0;              // of D
  };
  // What share of the curvature has moved to other rows since `gram` was computed, 0 to 1.
  static double moved(const Gram& gram, std::span<const double> curvature, double sum);
  // Makes the nearest of what is kept the first, or a new one; whether it is the one in use.
  bool select_gram(std::vector<double> curvature, double sum);
  bool factor(double c, double jitter);

  const LogisticPass& pass_;
  std::size_t size_, outputs_;
  int threads_;
  std::deque<Gram> grams_;   // the last two, the one in use first: the final fit of a sweep goes back to a small C
  TriangularTiles inverse_;  // of the Cholesky factor
  double factored_c_ = 0, least_pivot_ = 0;
  double scale_ = 1;  // the present curvature's sum to that of the gram in use
};

}  // namespace vise::probes
