// The model of every linear probe: scores = W x + b, in double.
#pragma once

#include <vector>

#include "probes/probe.h"

namespace vise {

// Immutable; safe from many threads. A row's scores depend on that row alone: each is one dot product, summed in order.
class LinearModel final : public ProbeModel {
 public:
  // `weights` is K x dim, row-major.
  LinearModel(std::size_t dim, std::vector<double> weights, std::vector<double> intercepts)
      : dim_(dim), weights_(std::move(weights)), intercepts_(std::move(intercepts)) {}

  // Two classes from one vector w and its intercept: the logits are -z/2 and z/2, so that z1 - z0 is z = w x + b
  // exactly.
  static LinearModel binary(std::vector<double> w, double intercept);

  Scores predict(const FeatureRows& rows) const override;
  std::vector<double> weights() const override { return weights_; }
  std::vector<double> intercepts() const override { return intercepts_; }

 private:
  std::size_t dim_;
  std::vector<double> weights_, intercepts_;
};

}  // namespace vise
