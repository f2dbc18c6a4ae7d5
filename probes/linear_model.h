// The model of every linear probe: scores = W x + b, in double.
#pragma once

#include <vector>

#include "probes/matrix.h"
#include "probes/probe.h"

namespace vise::probes {

// Immutable; safe from many threads. A row's scores depend on that row alone: each is one dot product, summed in order.
class LinearModel final : public ProbeModel {
 public:
  // `weights` is K x dim, a row a class, label or value, `intercepts` K.
  LinearModel(Matrix<double> weights, Row intercepts)
      : weights_(std::move(weights)), intercepts_(std::move(intercepts)) {}

  // Two classes from one vector w and its intercept: the logits are -z/2 and z/2, so that z1 - z0 is z = w x + b
  // exactly.
  static LinearModel binary(const Row& w, double intercept);

  Scores predict(const FeatureRows& rows) const override;
  std::vector<double> weights() const override { return to_vector(weights_); }
  std::vector<double> intercepts() const override { return to_vector(intercepts_); }
  const Matrix<double>& weight_matrix() const { return weights_; }
  const Row& intercept_row() const { return intercepts_; }

 private:
  Matrix<double> weights_;
  Row intercepts_;
};

}  // namespace vise::probes
