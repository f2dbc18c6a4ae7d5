// The finish: Newton's method with the whole Hessian, or by conjugate gradients where that would be too large.
#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <utility>

#include "base/threads.h"
#include "probes/logistic/narrow_product.h"
#include "probes/logistic/solver.h"
#include "probes/vectors.h"

namespace vise::probes {
namespace {

// Of 2,500 unknowns the Hessian takes 50 MB and its factor 5 billion multiplications.
constexpr std::size_t kDense = 2500;  // unknowns up to which the Hessian is formed
constexpr std::size_t kBlock = 32;
constexpr std::size_t kStrips = 8;

// The Hessian of a problem's losses at a point, in the coordinates (W, c).
class Curvature {
 public:
  Curvature(const LogisticPass& pass, const LogisticProblem& problem, const Matrix<double>& x, double c, int threads)
      : pass_(pass),
        problem_(problem),
        k_(pass.targets().outputs()),
        r_(pass.matrix().columns()),
        c_(c),
        threads_(threads) {
    set_probabilities(x);
  }

  // Products in float32: conjugate gradients ask for a thousandth, Newton's outer steps put right what that leaves.
  Matrix<double> times(const Matrix<double>& v) const;
  Matrix<double> solve_dense(const Matrix<double>& gradient) const;  // empty where no Cholesky factor is found

 private:
  void set_probabilities(const Matrix<double>& x);
  // The weights' part of `x` over `scale`.
  template <typename T>
  NarrowMatrix<T> narrow_weights(const Matrix<double>& x, double scale = 1) const {
    NarrowMatrix<T> out(r_, k_);
    out.view() = (x.topRows(r_) / scale).template cast<T>();
    return out;
  }
  // body(begin, end) for fixed strips of the rows.
  void for_strips(const std::function<void(std::size_t, std::size_t, std::size_t)>& body) const {
    const std::size_t n = pass_.matrix().rows();
    parallel_for(threads_, kStrips, [&](std::size_t s) { body(s, n * s / kStrips, n * (s + 1) / kStrips); });
  }
  // The row's weight in the loss; 0 where the label isn't known, so that such a row bends nothing.
  double known(std::size_t row) const {
    const bool unknown = !pass_.targets().softmax() && pass_.targets().target(row, problem_.label) < 0;
    return unknown ? 0 : pass_.targets().weight(row);
  }
  // u in place of z: how the losses' derivatives at `row` change when the logits change by z.
  void bend(std::size_t row, double* z) const {
    const double* const p = &p_(row, 0);
    const double weight = known(row);
    if (!pass_.targets().softmax()) {
      z[0] *= weight * p[0];
      return;
    }
    double mean = 0;
    for (std::size_t k = 0; k < k_; ++k) mean += p[k] * z[k];
    // (diag(p) - p p') z, the softmax's second derivative.
    for (std::size_t k = 0; k < k_; ++k) z[k] = weight * p[k] * (z[k] - mean);
  }

  const LogisticPass& pass_;
  const LogisticProblem& problem_;
  std::size_t k_, r_;  // outputs, columns of the matrix
  double c_;
  int threads_;
  Matrix<double> p_;  // N x K. Softmax: probabilities; sigmoid: p (1 - p)
};

// Second derivatives by the logits, once for a point: times() and solve_dense() ask for them many times.
void Curvature::set_probabilities(const Matrix<double>& x) {
  p_.resize(pass_.matrix().rows(), k_);
  const Row b = pass_.intercepts(x);
  const NarrowMatrix<double> w = narrow_weights<double>(x);
  for_strips([&](std::size_t, std::size_t from, std::size_t to) {
    std::vector<double> buffer;
    NarrowMatrix<double> z(kBlock, k_);
    for (std::size_t begin = from; begin < to; begin += kBlock) {
      const std::size_t count = std::min(kBlock, to - begin);
      z.set_zero();
      narrow_forward(pass_.matrix().block(begin, count, buffer), w.view(), z.view(0, count));
      p_.middleRows(begin, count) = z.view(0, count).rowwise() + b;
      for (std::size_t i = begin; i < begin + count; ++i) {
        double* const row = &p_(i, 0);
        if (!pass_.targets().softmax()) {
          // p (1 - p) = e / (1 + e)^2 with e = exp(-|z|): no overflow and no cancellation.
          const double e = std::exp(-std::abs(row[0]));
          row[0] = e / ((1 + e) * (1 + e));
          continue;
        }
        const double top = *std::max_element(row, row + k_);
        double sum = 0;
        for (std::size_t k = 0; k < k_; ++k) sum += row[k] = std::exp(row[k] - top);
        for (std::size_t k = 0; k < k_; ++k) row[k] /= sum;
      }
    }
  });
}

// H v without H: logits of v are bent by each row's second derivative and multiplied back, two narrow
// products as in a pass (as in LIBLINEAR's TRON: Lin, Weng & Keerthi 2008, section 3).
Matrix<double> Curvature::times(const Matrix<double>& v) const {
  // float32 has no room for what the last steps are made of: all is scaled to the largest entry.
  const double largest = v.cwiseAbs().maxCoeff(), scale = largest > 0 ? largest : 1;
  const Row shift = pass_.intercepts(v) / scale;  // (W, c) to (W, b) is linear
  const NarrowMatrix<float> w = narrow_weights<float>(v, scale);
  std::vector<Matrix<double>> sums(kStrips, Matrix<double>::Zero(k_, r_ + 1));
  for_strips([&](std::size_t s, std::size_t from, std::size_t to) {
    std::vector<float> buffer;
    NarrowMatrix<float> bent(kBlock, k_);
    NarrowMatrix<double> z(kBlock, k_);
    for (std::size_t begin = from; begin < to; begin += kBlock) {
      const std::size_t count = std::min(kBlock, to - begin);
      const ConstView<float> x = pass_.matrix().block(begin, count, buffer);
      View<double> logits = z.view(0, count);
      z.set_zero();
      narrow_forward(x, w.view(), logits);
      for (std::size_t i = 0; i < count; ++i) {
        logits.row(i) += shift;
        bend(begin + i, &logits(i, 0));
        sums[s].col(r_) += logits.row(i).transpose();
      }
      bent.view(0, count) = logits.cast<float>();
      narrow_backward(x, std::as_const(bent).view(0, count), view(sums[s].data(), k_, r_, r_ + 1));
    }
  });
  Matrix<double> out = Matrix<double>::Zero(r_ + 1, k_);
  for (const Matrix<double>& part : sums) out += scale * part.transpose();
  const Row intercepts = out.row(r_);
  // The penalty's part, and the change from (W, b) to (W, c) as in LogisticPass::collect.
  for (std::size_t d = 0; d < r_; ++d) out.row(d) += v.row(d) / c_ - pass_.means()[d] * intercepts;
  return out;
}

// The Newton step by Cholesky. Rows of A are (x - means, 1); block (k, l) of the Hessian is A' diag(p_k ([k = l] -
// p_l)) A. Unknown (d, k) is at d K + k: a block is every K-th row and column.
Matrix<double> Curvature::solve_dense(const Matrix<double>& gradient) const {
  const auto n = static_cast<Eigen::Index>(pass_.matrix().rows()), m = static_cast<Eigen::Index>(r_) + 1,
             outputs = static_cast<Eigen::Index>(k_);
  std::vector<double> buffer;
  Matrix<double> a(n, m), scaled(n, m), block(m, m), hessian(m * outputs, m * outputs);
  for (Eigen::Index i = 0; i < n; ++i) a.row(i).head(m - 1) = pass_.matrix().block(i, 1, buffer).row(0) - pass_.means();
  a.col(m - 1).setOnes();
  Vector bent(n);
  for (Eigen::Index k = 0; k < outputs; ++k) {
    for (Eigen::Index l = 0; l <= k; ++l) {
      for (Eigen::Index i = 0; i < n; ++i)
        bent[i] = known(i) * (pass_.targets().softmax() ? p_(i, k) * ((k == l) - p_(i, l)) : p_(i, 0));
      scaled = bent.asDiagonal() * a;
      block.noalias() = scaled.transpose() * a;
      const auto of_k = Eigen::seqN(k, m, outputs), of_l = Eigen::seqN(l, m, outputs);
      hessian(of_k, of_l) = block;
      if (l < k) hessian(of_l, of_k) = block.transpose();
    }
  }
  // The intercepts are not penalised.
  hessian.diagonal().head((m - 1) * outputs).array() += 1 / c_;
  // Softmax doesn't see a common shift of the intercepts; this holds it at zero and changes nothing else.
  if (pass_.targets().softmax()) hessian.bottomRightCorner(outputs, outputs).array() += static_cast<double>(n);
  // Rows seen as columns: LAPACKE copies what is row-major, twice.
  Eigen::Map<Eigen::MatrixXd> columns(hessian.data(), hessian.rows(), hessian.cols());
  const Eigen::LLT<Eigen::Ref<Eigen::MatrixXd>, Eigen::Upper> cholesky(columns);
  if (cholesky.info() != Eigen::Success) return {};
  Eigen::MatrixXd step = Eigen::Map<const Eigen::MatrixXd>(gradient.data(), gradient.size(), 1);
  cholesky.solveInPlace(step);
  return -Eigen::Map<const Matrix<double>>(step.data(), m, outputs);
}

// Conjugate gradients on H step = -gradient until half the squared preconditioned residual, which is what will be left
// of the decrement, is `near` of the gradient's, or `enough`.
Matrix<double> solve_by_gradients(const Curvature& curvature, const LogisticPreconditioner& preconditioner,
                                  const Matrix<double>& gradient, double near, double enough, int most,
                                  const Context& context, int& passes) {
  // The least and the most that is asked of a step.
  constexpr double kCoarse = 1e-2, kSharp = 1e-6;
  Matrix<double> step = Matrix<double>::Zero(gradient.rows(), gradient.cols()), residual = -gradient;
  const auto precondition = [&](const Matrix<double>& v) {
    const Matrix<double>* const one[] = {&v};
    return std::move(preconditioner.apply(one)[0]);
  };
  Matrix<double> z = precondition(residual), p = z;
  double rz = dot(residual, z);
  const double goal = std::clamp(std::max(near * rz, 2 * enough), kSharp * rz, kCoarse * rz);
  for (int i = 0; i < most && rz > goal; ++i) {
    context.throw_if_stopped();
    const Matrix<double> hp = curvature.times(p);
    ++passes;
    const double bend = dot(p, hp);
    // The Hessian is positive definite; a curvature that isn't positive is float32's noise, and
    // what has been reached so far is still a descent step.
    if (!(bend > 0)) break;
    // Preconditioned conjugate gradients (Nocedal & Wright, algorithm 5.3).
    const double alpha = rz / bend;
    add_scaled(step, alpha, p);
    add_scaled(residual, -alpha, hp);
    z = precondition(residual);
    const double next = dot(residual, z), beta = next / rz;
    rz = next;
    p = z + beta * p;
  }
  return step;
}

// Value and gradient of the whole objective.
// Also the curvature for the preconditioner, where the caller wants it.
void measure(LogisticPass& pass, const LogisticProblem& problem, double c, int threads, LogisticPoint& at,
             Matrix<double>& gradient, std::vector<double>* curvature = nullptr) {
  Trial trial{&problem, &at.x, 0, {}};
  pass.evaluate<double>(std::span(&trial, 1), threads, curvature, 1);
  const Eigen::Index r = at.x.rows() - 1;
  trial.gradient.topRows(r) += at.x.topRows(r) / c;
  at.loss = trial.loss;
  at.objective = trial.loss + logistic_penalty(at.x, c);
  gradient = std::move(trial.gradient);
  at.gradient_max = gradient.cwiseAbs().maxCoeff();
  ++at.passes;
}

}  // namespace

// Newton's method converges quadratically near the optimum, where L-BFGS in float32 has
// arrived before, so few steps in double are left.
LogisticPoint finish_logistic(LogisticPass& pass, LogisticPreconditioner& preconditioner, double c,
                              const LogisticProblem& problem, LogisticPoint from, double stop, const Context& context) {
  constexpr int kMostSteps = 40, kMostGradients = 250;
  constexpr double kEnough = 1e-4;  // of the stop: the preconditioned decrement is the true one up to some factor
  // A dense Hessian costs N (R K)^2 / 2 to form and (R K)^3 / 3 to factor, but then one step
  // does what conjugate gradients need dozens of passes for.
  const bool dense = pass.point_size() <= kDense && pass.matrix().rows() <= 4 * kDense;
  LogisticPoint at = std::move(from);
  Matrix<double> gradient;
  std::vector<double> curvature_at_start;
  measure(pass, problem, c, context.threads, at, gradient, &curvature_at_start);
  if (!dense) preconditioner.prepare(c, std::move(curvature_at_start));
  for (int i = 0; i < kMostSteps; ++i) {
    context.throw_if_stopped();
    const Curvature curvature(pass, problem, at.x, c, context.threads);
    // Forcing terms as in Nocedal & Wright, section 7.1: sharper as the end comes near, but not beyond what ends it.
    const double near = std::max(at.decrement, 0.0) / std::max(at.objective, 1e-300);
    Matrix<double> step = dense ? curvature.solve_dense(gradient)
                                : solve_by_gradients(curvature, preconditioner, gradient, near,
                                                     kEnough * stop * at.objective, kMostGradients, context, at.passes);
    if (step.size() == 0) break;
    const double slope = dot(gradient, step);
    // Half the squared Newton decrement, -gradient' step / 2, is what a quadratic model says the objective
    // can still fall (Boyd & Vandenberghe, section 9.5.1): the stop is in the objective's own units.
    at.decrement = -slope / 2;
    at.converged = at.decrement <= stop * at.objective;
    // A step that was paid for is taken, and the dense one, which costs little, as long as it still sharpens the
    // gradient.
    const bool last = at.converged && !dense;
    LogisticPoint next = at;
    Matrix<double> next_gradient;
    // Backtracking from the full step, which near the optimum is usually taken.
    double t = 1;
    for (; t > 1e-8; t /= 2) {
      next.x = at.x + t * step;
      measure(pass, problem, c, context.threads, next, next_gradient);
      // Armijo's rule, with room for the objective's own rounding: near the optimum a good
      // step may look like no progress.
      if (next.objective <= at.objective + 1e-4 * t * slope + 1e-14 * at.objective) break;
    }
    const bool better = t > 1e-8 && (!at.converged || next.gradient_max < 0.5 * at.gradient_max);
    if (!better) break;
    at = std::move(next);
    gradient = std::move(next_gradient);
    if (last) break;
  }
  return at;
}

}  // namespace vise::probes
