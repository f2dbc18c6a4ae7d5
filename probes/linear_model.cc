#include "probes/linear_model.h"

#include <fmt/format.h>

#include "base/error.h"

namespace vise {
namespace {

// Eight running sums, so that the compiler can use vector registers; the order is fixed all the same.
double dot(const double* w, const float* x, std::size_t n) {
  double sums[8] = {};
  std::size_t d = 0;
  for (; d + 8 <= n; d += 8) {
    for (std::size_t j = 0; j < 8; ++j) sums[j] += w[d + j] * static_cast<double>(x[d + j]);
  }
  double rest = 0;
  for (; d < n; ++d) rest += w[d] * static_cast<double>(x[d]);
  return ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7])) + rest;
}

}  // namespace

LinearModel LinearModel::binary(std::vector<double> w, double intercept) {
  const std::size_t dim = w.size();
  std::vector<double> both(2 * dim);
  for (std::size_t d = 0; d < dim; ++d) {
    both[d] = -w[d] / 2;
    both[dim + d] = w[d] / 2;
  }
  return LinearModel(dim, std::move(both), {-intercept / 2, intercept / 2});
}

Scores LinearModel::predict(const FeatureRows& rows) const {
  if (rows.dim() != dim_) {
    throw Error(ErrorKind::input, fmt::format("the probe was fitted on {} features, these are {}", dim_, rows.dim()));
  }
  Scores scores{rows.size(), intercepts_.size(), {}};
  scores.values.reserve(scores.rows * scores.columns);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t k = 0; k < scores.columns; ++k) {
      scores.values.push_back(dot(weights_.data() + k * dim_, rows.row(i), dim_) + intercepts_[k]);
    }
  }
  return scores;
}

}  // namespace vise
