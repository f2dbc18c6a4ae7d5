// Logistic regression, many problems at once: the losses, and one pass over the features that serves every problem.
//
// A problem minimises, over weights W (R x K) and free intercepts b (K),
//     sum of weight_i * loss_i  +  ||W||^2 / (2 C)
// where loss is the cross-entropy of a softmax (K classes or a distribution over them), or of one sigmoid (K = 1: two
// classes, one class against the rest, or one label of many). Natural logarithms; sums, not means.
//
// A point is a matrix of R + 1 rows: W, and below it c = b + means' W: with centred features weights and intercept
// hardly disturb each other. Sums run in double in an order that doesn't depend on the number of threads; the products
// are float32 or double as the template argument says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <tuple>
#include <vector>

#include "base/log.h"
#include "datasets/targets.h"
#include "probes/logistic/contrasts.h"
#include "probes/logistic/narrow_product.h"
#include "probes/matrix.h"
#include "probes/row_matrix.h"

namespace vise::probes {

// What the rows of a matrix should be. Immutable.
class LogisticTargets {
 public:
  enum class Form { softmax, one_vs_rest };
  // Classes and distributions of two classes are one sigmoid for the second; multi-label targets are one sigmoid a
  // label. `order[i]` is the target of row i. `balanced`: a row weighs N / (K * rows of its class) (classes only).
  LogisticTargets(const datasets::Targets& targets, std::span<const std::uint32_t> order, Form form, bool balanced);

  bool softmax() const { return softmax_; }
  std::size_t outputs() const { return softmax_ ? width_ : 1; }  // K of one problem
  std::size_t labels() const { return softmax_ ? 1 : width_; }   // independent problems
  double weight(std::size_t row) const { return weights_.empty() ? 1 : weights_[row]; }
  double mean_weight() const;

  // The loss of a row's logits z (outputs() of them) in steps, between which exponentials and logarithms are taken of
  // many rows at once: e = exp(what `shift` leaves in e), log_tail = log1p(tail(z, e)), then the others.
  void shift(double* z, double* e) const;
  double tail(const double* z, const double* e) const;
  // The weighted loss under problem `label`, and its derivatives in place of z.
  double loss(std::size_t row, std::size_t label, double* z, const double* e, double log_tail) const;
  // How it is bent: the mean over outputs of weight p (1 - p).
  double curvature(std::size_t row, std::size_t label, const double* e, double tail) const;
  // Target of one output, 0..1; negative = not known (sigmoids only).
  double target(std::size_t row, std::size_t output) const {
    return y_.size() == 0 ? classes_[row] == static_cast<int>(output) : static_cast<double>(y_(row, output));
  }

 private:
  bool softmax_ = false;
  std::size_t width_ = 1;
  std::vector<int> classes_;  // softmax over classes; else y_
  Matrix<float> y_;           // rows x width
  std::vector<double> weights_;
};

// One problem: which label, and which part of the rows is held out.
struct LogisticProblem {
  std::size_t label = 0;
  int held_out = -1;  // rows of that segment are not fitted; -1: none
};

// A point to evaluate: value and gradient of the losses alone, without the penalty.
struct Trial {
  const LogisticProblem* problem = nullptr;
  const Matrix<double>* x = nullptr;
  double loss = 0;
  Matrix<double> gradient;
};

// `threads`, or 1 for so few operations that starting a thread (some 50 microseconds) would take longer.
inline int threads_worth(std::size_t operations, int threads) { return operations < 200'000 ? 1 : threads; }

class LogisticPass {
 public:
  // Rows of segment s are [bounds[s], bounds[s + 1]). Borrows all three.
  LogisticPass(const RowMatrix& matrix, const LogisticTargets& targets, std::vector<std::size_t> bounds);

  const RowMatrix& matrix() const { return matrix_; }
  const LogisticTargets& targets() const { return targets_; }
  const Contrasts& contrasts() const { return contrasts_; }
  const Row& means() const { return means_; }
  std::size_t point_size() const { return (matrix_.columns() + 1) * targets_.outputs(); }
  std::size_t rows_of(const LogisticProblem& problem) const;

  // One pass over the rows for all trials. Where `curvature` is given, it becomes what the first `bent` trials say of
  // how the losses are bent: for each row the mean of weight p (1 - p) over outputs and trials; a trial that holds the
  // row out counts 0. Memory is kept for the next pass: one call at a time.
  template <typename T>
  void evaluate(std::span<Trial> trials, int threads, std::vector<double>* curvature = nullptr, std::size_t bent = 0);

  // The intercepts b of a point.
  Row intercepts(const Matrix<double>& x) const;

  // The point whose weights are zero and whose intercepts alone fit best: where a path begins.
  Matrix<double> start(const LogisticProblem& problem) const;

 private:
  struct Strip {
    std::size_t segment, begin, end;
  };
  // The trials that fit a segment's rows: the contrasts of their weights side by side (R x columns), their intercepts.
  template <typename T>
  struct Segment {
    std::vector<std::size_t> active;
    NarrowMatrix<T> weights;
    Matrix<double> intercepts;  // a row a trial
  };
  template <typename T>
  using Segments = std::vector<Segment<T>>;
  template <typename T>
  void arrange(std::span<const Trial> trials, int threads);
  // What a pass sums over the rows of a strip.
  struct Sums {
    std::vector<double> losses;     // a trial each
    NarrowMatrix<double> gradient;  // contrasts of trials x (R, then the intercepts)
  };
  struct Bending {
    std::vector<double>* curvature;
    std::size_t trials;
  };
  template <typename T>
  void run_strip(const Strip& strip, std::span<const Trial> trials, const Segment<T>& segment, Bending bending,
                 Sums& sums) const;
  template <typename T>
  void take_losses(std::size_t begin, std::size_t count, std::span<const Trial> trials, const Segment<T>& segment,
                   Bending bending, View<double> z, View<T> residual, Sums& sums) const;
  void collect(Trial& trial, std::size_t index, std::span<const std::vector<std::size_t>* const> active) const;

  const RowMatrix& matrix_;
  const LogisticTargets& targets_;
  Contrasts contrasts_;
  std::vector<std::size_t> bounds_;
  Row means_;
  std::vector<Strip> strips_;
  std::tuple<Segments<float>, Segments<double>> segments_;  // reused, as are:
  std::vector<Sums> sums_;                                  // one a strip
};

}  // namespace vise::probes
