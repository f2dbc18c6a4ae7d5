#include "reports/statistics/task_contrast.h"

#include <Eigen/Dense>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/quadrature/gauss_kronrod.hpp>
#include <boost/math/tools/toms748_solve.hpp>
#include <cassert>
#include <cmath>
#include <numbers>
#include <vector>

namespace vise::reports {
namespace {

using Matrix = Eigen::MatrixXd;
using Vector = Eigen::VectorXd;

constexpr double kNothing = 1e-24;  // a variance: accuracies of the same counts may differ in their last bits

// The steps: test_contrast() takes the tasks' spread about their kind's mean (RSS), bounds s^2 by upper_limit(), and
// gets p from exceeds() and the interval from critical().

// The contrast's weights, and which kind's mean each task is measured from (a column of ones and zeros a kind).
struct Design {
  Vector weights;
  Matrix kinds;

  Eigen::Index tasks() const { return kinds.rows(); }
  Eigen::Index df() const { return kinds.rows() - kinds.cols(); }
  // Takes values to their distances from their kind's mean.
  Matrix residuals() const {
    return Matrix::Identity(tasks(), tasks()) - kinds * (kinds.transpose() * kinds).inverse() * kinds.transpose();
  }
};

// (a'e)^2 is the contrast's square, e'Re its RSS; both of gains without any true difference.
// P[(a'e)^2 > q e'Re], e normal with `covariance`: of the form's eigenvalues one is positive.
double exceeds(const Design& design, const Matrix& covariance, double q) {
  // With e = root z and z standard normal, both quadratic forms become one in z; the probability
  // that it is positive needs its eigenvalues alone.
  const Matrix root = covariance.llt().matrixL();
  const Matrix form = root.transpose() * (design.weights * design.weights.transpose() - q * design.residuals()) * root;
  const Vector values = Eigen::SelfAdjointEigenSolver<Matrix>(form, Eigen::EigenvaluesOnly).eigenvalues();
  const Eigen::Index last = values.size() - 1;  // they rise
  if (!(values[last] > 0)) return 0;
  const auto integrand = [&](double angle) {
    const double square = std::sin(angle) * std::sin(angle);
    double product = 1;
    // P[z_1^2 > sum of lambda_i z_i^2] as one integral over an angle (Craig's form), smooth
    // and without an infinite end.
    for (Eigen::Index i = 0; i < last; ++i) product *= square / (square + std::max(0.0, -values[i] / values[last]));
    return std::sqrt(product);
  };
  using Quadrature = boost::math::quadrature::gauss_kronrod<double, 31>;
  return 2 / std::numbers::pi * Quadrature::integrate(integrand, 1e-12, std::numbers::pi / 2, 10, 1e-11);
}

// Where s^2 is `between`, the squares of the gains about their kind's best estimate, in units of their covariance: chi
// squared with df degrees of freedom.
double weighted_squares(const Design& design, const Vector& gains, const Matrix& covariance) {
  const Eigen::LLT<Matrix> factor(covariance);
  const Matrix whitened = factor.matrixL().solve(design.kinds);
  const Vector values = factor.matrixL().solve(gains);
  const Vector fitted = whitened * (whitened.transpose() * whitened).ldlt().solve(whitened.transpose() * values);
  return (values - fitted).squaredNorm();
}

// Where a falling function of bracketed sign is 0, to so many bits.
double root_between(const auto& function, double low, double high, int bits) {
  if (low == high) return low;
  std::uintmax_t most = 60;
  const auto ends =
      boost::math::tools::toms748_solve(function, low, high, boost::math::tools::eps_tolerance<double>(bits), most);
  return (ends.first + ends.second) / 2;
}

// The share of the time that s^2 may be above its limit: with few tasks it must be rare (simulated:
// tests/unit/reports/task_contrast_test.cc).
double tail_of(Eigen::Index df) { return df == 1 ? 0.05 : df == 2 ? 0.12 : df == 3 ? 0.2 : 0.25; }

// The largest s^2 that the gains' spread leaves possible; next to 0 where they spread less than their errors.
double upper_limit(const Design& design, const Vector& gains, const Matrix& covariance, double squares) {
  const double target =
      boost::math::quantile(boost::math::chi_squared(static_cast<double>(design.df())), tail_of(design.df()));
  const Matrix one = Matrix::Identity(design.tasks(), design.tasks());
  // The search runs over log s^2: it spans orders of magnitude and stays positive.
  const double scale = covariance.diagonal().mean(), least = 1e-9 * scale;
  const auto above = [&](double logarithm) {
    return weighted_squares(design, gains, covariance + std::exp(logarithm) * one) - target;
  };
  if (above(std::log(least)) <= 0) return least;
  double high = std::log(std::max(scale, squares / target));
  while (above(high) > 0) high += 1;
  return std::exp(root_between(above, std::log(least), high, 20));
}

// The q that is exceeded with probability `chance`.
double critical(const Design& design, const Matrix& covariance, double chance) {
  const auto above = [&](double logarithm) { return exceeds(design, covariance, std::exp(logarithm)) - chance; };
  double low = 0, high = 0;
  // Brackets are widened until they hold the root.
  while (above(low) < 0) low -= 2;
  while (above(high) > 0) high += 2;
  return std::exp(root_between(above, low, high, 40));
}

TaskContrast test_contrast(const Design& design, const Vector& gains, const Matrix& errors, double level) {
  TaskContrast result;
  result.value = design.weights.dot(gains);
  // One task, or one a kind, says nothing about how tasks differ.
  if (design.df() < 1) return result;
  const Matrix residuals = design.residuals();
  const double squares = gains.dot(residuals * gains), df = static_cast<double>(design.df());
  // The spread over tasks beyond what the gains' own errors explain, by the method of moments
  // (DerSimonian & Laird 1986, unweighted).
  result.between = std::sqrt(std::max(0.0, (squares - (residuals * errors).trace()) / df));
  if (squares <= kNothing) {
    if (std::fabs(result.value) < 1e-12) result.p = 1;
    return result;
  }
  Matrix covariance = Matrix::Identity(design.tasks(), design.tasks());
  if (errors.diagonal().maxCoeff() > kNothing)
    covariance = errors + upper_limit(design, gains, errors, squares) * covariance;
  // p depends on the covariance's shape alone, as both forms scale alike; this keeps the numbers near 1.
  covariance /= covariance.diagonal().mean();
  result.p = std::min(1.0, exceeds(design, covariance, result.value * result.value / squares));
  const double reach = std::sqrt(squares * critical(design, covariance, 1 - level));
  result.interval = {result.value - reach, result.value + reach};
  return result;
}

Vector vector_of(std::span<const double> values) {
  return Eigen::Map<const Vector>(values.data(), static_cast<Eigen::Index>(values.size()));
}

Matrix matrix_of(std::span<const double> covariance, std::size_t tasks) {
  assert(covariance.size() == tasks * tasks);
  const auto side = static_cast<Eigen::Index>(tasks);
  return Eigen::Map<const Matrix>(covariance.data(), side, side);
}

}  // namespace

TaskContrast mean_over_tasks(std::span<const double> gains, std::span<const double> covariance, double level) {
  assert(!gains.empty());
  const auto tasks = static_cast<Eigen::Index>(gains.size());
  const Design design{Vector::Constant(tasks, 1 / static_cast<double>(tasks)), Matrix::Ones(tasks, 1)};
  return test_contrast(design, vector_of(gains), matrix_of(covariance, gains.size()), level);
}

TaskContrast difference_of_kinds(std::span<const double> gains, std::span<const double> covariance,
                                 std::span<const std::uint8_t> of_first_kind, double level) {
  const auto tasks = static_cast<Eigen::Index>(gains.size());
  Design design{Vector::Zero(tasks), Matrix::Zero(tasks, 2)};
  for (Eigen::Index t = 0; t < tasks; ++t) design.kinds(t, of_first_kind[static_cast<std::size_t>(t)] ? 0 : 1) = 1;
  const Eigen::RowVectorXd counts = design.kinds.colwise().sum();
  assert(counts.minCoeff() > 0);
  design.weights = design.kinds.col(0) / counts[0] - design.kinds.col(1) / counts[1];
  return test_contrast(design, vector_of(gains), matrix_of(covariance, gains.size()), level);
}

}  // namespace vise::reports
