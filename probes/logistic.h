// Logistic regression, many problems at once: the losses, and one pass over the features that serves every problem.
//
// A problem minimises, over weights W (R x K) and free intercepts b (K),
//     sum of weight_i * loss_i  +  ||W||^2 / (2 C)
// where loss is the cross-entropy of a softmax (K classes or a distribution over them), or of one sigmoid (K = 1: two
// classes, one class against the rest, or one label of many). Natural logarithms; sums, not means.
//
// Points are kept as W row-major, then c = b + means' W: with centred features weights and intercept hardly disturb
// each other. Sums run in double in an order that doesn't depend on the number of threads; the products are float32 or
// double as the template argument says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/log.h"
#include "datasets/targets.h"
#include "probes/narrow_product.h"
#include "probes/row_matrix.h"

namespace vise {

// What the rows of a matrix should be. Immutable.
class LogisticTargets {
 public:
  enum class Form { softmax, one_vs_rest };
  // Classes and distributions of two classes are one sigmoid for the second; multi-label targets are one sigmoid a
  // label. `order[i]` is the target of row i. `balanced`: a row weighs N / (K * rows of its class) (classes only).
  LogisticTargets(const Targets& targets, std::span<const std::uint32_t> order, Form form, bool balanced);

  bool softmax() const { return softmax_; }
  std::size_t outputs() const { return softmax_ ? width_ : 1; }  // K of one problem
  std::size_t labels() const { return softmax_ ? 1 : width_; }   // independent problems
  double weight(std::size_t row) const { return weights_.empty() ? 1 : weights_[row]; }
  double mean_weight() const;

  // The weighted loss of a row's logits z (outputs() of them) under problem `label`, and its derivatives in place of z.
  double loss(std::size_t row, std::size_t label, double* z) const;
  // The same at logits z, which are lost: the mean over outputs of weight p (1 - p).
  double curvature(std::size_t row, std::size_t label, double* z) const;
  // Target of one output, 0..1; negative = not known (sigmoids only).
  double target(std::size_t row, std::size_t output) const {
    return y_.empty() ? classes_[row] == static_cast<int>(output) : static_cast<double>(y_[row * width_ + output]);
  }

 private:
  bool softmax_ = false;
  std::size_t width_ = 1;
  std::vector<int> classes_;  // softmax over classes; else y_
  std::vector<float> y_;      // rows x width
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
  std::span<const double> x;  // R x K, then K
  double loss = 0;
  std::vector<double> gradient;  // the same shape
};

class LogisticPass {
 public:
  // Rows of segment s are [bounds[s], bounds[s + 1]). Borrows all three.
  LogisticPass(const RowMatrix& matrix, const LogisticTargets& targets, std::vector<std::size_t> bounds);

  const RowMatrix& matrix() const { return matrix_; }
  const LogisticTargets& targets() const { return targets_; }
  const std::vector<double>& means() const { return means_; }
  std::size_t point_size() const { return (matrix_.columns() + 1) * targets_.outputs(); }
  std::size_t rows_of(const LogisticProblem& problem) const;

  // One pass over the rows for all trials.
  template <typename T>
  void evaluate(std::span<Trial> trials, int threads) const;

  // How curved the losses are at points, one a problem: for each row the mean of weight p (1 - p) over outputs and
  // problems; a problem that holds the row out counts 0.
  std::vector<double> curvature(std::span<const LogisticProblem> problems, std::span<const std::vector<double>> points,
                                int threads) const;

  // The intercepts b of a point.
  std::vector<double> intercepts(std::span<const double> x) const;

  // The point whose weights are zero and whose intercepts alone fit best: where a path begins.
  std::vector<double> start(const LogisticProblem& problem) const;

 private:
  struct Strip {
    std::size_t segment, begin, end;
  };
  // The trials that fit a segment's rows: their weights side by side (R x columns), their intercepts.
  template <typename T>
  struct Segment {
    std::vector<std::size_t> active;
    NarrowVector<T> weights;
    std::vector<double> intercepts;
  };
  template <typename T>
  using Segments = std::vector<Segment<T>>;
  template <typename T>
  Segments<T> arrange(std::span<const Trial> trials, int threads) const;
  template <typename T>
  void run_strip(const Strip& strip, std::span<const Trial> trials, const Segment<T>& segment, std::span<double> losses,
                 NarrowVector<double>& gradient) const;

  const RowMatrix& matrix_;
  const LogisticTargets& targets_;
  std::vector<std::size_t> bounds_;
  std::vector<double> means_;
  std::vector<Strip> strips_;
};

}  // namespace vise
