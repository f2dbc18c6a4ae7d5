#include "probes/linear_model.h"

#include <fmt/format.h>

#include "base/error.h"

namespace vise::probes {
namespace {

// One row of the weights, and one row of features in place.
using Weights = Matrix<double>::ConstRowXpr;
using Features = Eigen::Map<const Eigen::RowVectorXf>;

// Eight running sums, so that the compiler can use vector registers; the order is fixed all the same, which OpenBLAS's
// is not: it chooses its loops by the processor.
double dot(const Weights& w, const Features& x) {
  constexpr Eigen::Index kLanes = 8;
  const Eigen::Index whole = w.size() / kLanes * kLanes;
  Eigen::Array<double, 1, kLanes> sums = Eigen::Array<double, 1, kLanes>::Zero();
  for (Eigen::Index d = 0; d < whole; d += kLanes)
    sums += w.segment<kLanes>(d).array() * x.segment<kLanes>(d).cast<double>().array();
  double rest = 0;
  for (Eigen::Index d = whole; d < w.size(); ++d) rest += w[d] * static_cast<double>(x[d]);
  const Eigen::Array4d pairs = sums.head<4>() + sums.tail<4>();
  return (pairs[0] + pairs[1]) + (pairs[2] + pairs[3]) + rest;
}

}  // namespace

LinearModel LinearModel::binary(const Row& w, double intercept) {
  Matrix<double> both(2, w.size());
  // A softmax over -z/2 and z/2 is the sigmoid of z, so two classes have scores in the same form as many.
  both << -w / 2, w / 2;
  return LinearModel(std::move(both), Eigen::RowVector2d(-intercept / 2, intercept / 2));
}

Scores LinearModel::predict(const FeatureRows& rows) const {
  if (static_cast<Eigen::Index>(rows.dim()) != weights_.cols()) {
    throw Error(ErrorKind::input,
                fmt::format("the probe was fitted on {} features, these are {}", weights_.cols(), rows.dim()));
  }
  const std::size_t outputs = static_cast<std::size_t>(weights_.rows());
  Scores scores{rows.size(), outputs, {}};
  scores.values.reserve(rows.size() * outputs);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Features x = feature_row(rows.row(i), rows.dim());
    for (Eigen::Index k = 0; k < weights_.rows(); ++k)
      scores.values.push_back(dot(weights_.row(k), x) + intercepts_[k]);
  }
  return scores;
}

}  // namespace vise::probes
