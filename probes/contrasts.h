// Logits of a softmax as contrasts. A softmax doesn't see a common shift of its K logits, and the weights that the L2
// penalty leaves sum to zero over the classes, as the losses' derivatives do: K - 1 numbers say all of them. Products
// with the features are made for these, at (K - 1) / K of the cost.
//
// The basis is Helmert's: contrast j (1 <= j < K) is (sum of the first j values - j times the next) / sqrt(j (j + 1)).
// It is orthonormal, so norms and inner products are kept.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace vise {

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

  // outputs() values, whose sum is taken to be zero, to size() contrasts.
  void reduce(const double* values, double* contrasts) const {
    if (!softmax_) {
      std::copy(values, values + outputs_, contrasts);
      return;
    }
    double sum = values[0];
    for (std::size_t j = 1; j < outputs_; ++j) {
      contrasts[j - 1] = (sum - static_cast<double>(j) * values[j]) * scale_[j];
      sum += values[j];
    }
  }

  // size() contrasts to the outputs() values of sum zero.
  void expand(const double* contrasts, double* values) const {
    if (!softmax_) {
      std::copy(contrasts, contrasts + outputs_, values);
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

  // `rows` rows of values times `factor`; rows of contrasts lie `apart`.
  template <typename T>
  void reduce_rows(const double* values, std::size_t rows, double factor, T* contrasts, std::size_t apart) const {
    std::vector<double> row(size());
    for (std::size_t i = 0; i < rows; ++i) {
      reduce(values + i * outputs_, row.data());
      for (std::size_t j = 0; j < row.size(); ++j) contrasts[i * apart + j] = static_cast<T>(factor * row[j]);
    }
  }

  // The way back, from one column a contrast, columns `apart`.
  void expand_columns(const double* contrasts, std::size_t apart, std::size_t rows, double factor,
                      double* values) const {
    std::vector<double> row(size());
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::size_t j = 0; j < row.size(); ++j) row[j] = factor * contrasts[j * apart + i];
      expand(row.data(), values + i * outputs_);
    }
  }

 private:
  std::size_t outputs_;
  bool softmax_;
  std::vector<double> scale_;  // 1 / sqrt(j (j + 1)) at j
};

}  // namespace vise
