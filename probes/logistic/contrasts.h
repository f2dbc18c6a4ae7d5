// Logits of a softmax as contrasts. A softmax doesn't see a common shift of its K logits, and the weights that the L2
// penalty leaves sum to zero over the classes, as the losses' derivatives do: K - 1 numbers say all of them. Products
// with the features are made for these, at (K - 1) / K of the cost.
//
// The basis is Helmert's: contrast j (1 <= j < K) is (sum of the first j values - j times the next) / sqrt(j (j + 1)).
// It is orthonormal, so norms and inner products are kept.
#pragma once

#include <cmath>
#include <cstddef>
#include <type_traits>
#include <vector>

#include "probes/matrix.h"

namespace vise::probes {

class Contrasts {
 public:
  // Of `outputs` logits; without `softmax` every map below is the identity.
  Contrasts(std::size_t outputs, bool softmax) : outputs_(outputs), softmax_(softmax && outputs > 1), scale_(outputs) {
    for (std::size_t j = 1; j < outputs; ++j) {
      const auto n = static_cast<double>(j);
      scale_[j] = 1 / std::sqrt(n * (n + 1));
    }
  }

  std::size_t outputs() const { return outputs_; }
  std::size_t size() const { return softmax_ ? outputs_ - 1 : outputs_; }

  // outputs() values, whose sum is taken to be zero, to size() contrasts; rows of any matrix. In one sweep: a product
  // with the basis would take K (K - 1) multiplications for these 2 K.
  template <typename Values, typename Reduced>
  void reduce(const Eigen::DenseBase<Values>& values, Reduced&& contrasts) const {
    if (!softmax_) {
      // Mostly one value: a loop, since an assignment of Eigen's costs more than the value.
      for (std::size_t j = 0; j < outputs_; ++j) contrasts[j] = values[j];
      return;
    }
    double sum = values[0];
    for (std::size_t j = 1; j < outputs_; ++j) {
      contrasts[j - 1] = (sum - static_cast<double>(j) * values[j]) * scale_[j];
      sum += values[j];
    }
  }

  // size() contrasts to the outputs() values of sum zero.
  template <typename Reduced, typename Values>
  void expand(const Eigen::DenseBase<Reduced>& contrasts, Values&& values) const {
    if (!softmax_) {
      for (std::size_t j = 0; j < outputs_; ++j) values[j] = contrasts[j];
      return;
    }
    double later = 0;
    for (std::size_t j = outputs_; j-- > 1;) {
      const double scaled = contrasts[j - 1] * scale_[j];
      values[j] = later - static_cast<double>(j) * scaled;
      later += scaled;
    }
    values[0] = later;
  }

  // Every row of values times `factor`, to rows of contrasts.
  template <typename Reduced>
  void reduce_rows(const ConstRef<double>& values, double factor, Reduced&& contrasts) const {
    Row row(size());
    for (Eigen::Index i = 0; i < values.rows(); ++i) {
      reduce(values.row(i), row);
      contrasts.row(i) = (factor * row).template cast<typename std::decay_t<Reduced>::Scalar>();
    }
  }

  // The way back, from one column of contrasts to one row of values.
  void expand_columns(const ConstRef<double>& contrasts, double factor, Ref<double> values) const {
    Row row(size());
    for (Eigen::Index i = 0; i < values.rows(); ++i) {
      row = factor * contrasts.col(i).transpose();
      expand(row, values.row(i));
    }
  }

 private:
  std::size_t outputs_;
  bool softmax_;
  std::vector<double> scale_;  // 1 / sqrt(j (j + 1)) at j
};

}  // namespace vise::probes
