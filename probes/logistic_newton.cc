// The finish: Newton's method with the whole Hessian, or by conjugate gradients where that would be too large.
#include <cblas.h>
#include <lapacke.h>

#include <algorithm>
#include <cmath>

#include "base/threads.h"
#include "probes/logistic_solver.h"
#include "probes/narrow_product.h"
#include "probes/vectors.h"

namespace vise {
namespace {

constexpr std::size_t kDense = 2500;  // unknowns up to which the Hessian is formed
constexpr std::size_t kBlock = 32;
constexpr std::size_t kStrips = 8;

int as_int(std::size_t n) { return static_cast<int>(n); }

// The Hessian of a problem's losses at a point, in the coordinates (W, c).
class Curvature {
 public:
  Curvature(const LogisticPass& pass, const LogisticProblem& problem, std::span<const double> x, double c, int threads)
      : pass_(pass),
        problem_(problem),
        k_(pass.targets().outputs()),
        columns_(narrow_stride(k_)),
        r_(pass.matrix().columns()),
        c_(c),
        threads_(threads) {
    set_probabilities(x);
  }

  // Products in float32: conjugate gradients ask for a thousandth, Newton's outer steps put right what that leaves.
  std::vector<double> times(std::span<const double> v) const;
  std::vector<double> solve_dense(std::span<const double> gradient) const;

 private:
  void set_probabilities(std::span<const double> x);
  // The weights' part of `x` over `scale`, r x columns.
  template <typename T>
  NarrowVector<T> padded(std::span<const double> x, double scale = 1) const {
    NarrowVector<T> out(r_ * columns_);
    for (std::size_t d = 0; d < r_; ++d) {
      for (std::size_t k = 0; k < k_; ++k) out[d * columns_ + k] = static_cast<T>(x[d * k_ + k] / scale);
    }
    return out;
  }
  // body(begin, end) for fixed strips of the rows.
  void for_strips(const std::function<void(std::size_t, std::size_t, std::size_t)>& body) const {
    const std::size_t n = pass_.matrix().rows();
    parallel_for(threads_, kStrips, [&](std::size_t s) { body(s, n * s / kStrips, n * (s + 1) / kStrips); });
  }
  double known(std::size_t row) const {
    const bool unknown = !pass_.targets().softmax() && pass_.targets().target(row, problem_.label) < 0;
    return unknown ? 0 : pass_.targets().weight(row);
  }
  // u in place of z: how the losses' derivatives at `row` change when the logits change by z.
  void bend(std::size_t row, double* z) const {
    const double* const p = &p_[row * k_];
    const double weight = known(row);
    if (!pass_.targets().softmax()) {
      z[0] *= weight * p[0];
      return;
    }
    double mean = 0;
    for (std::size_t k = 0; k < k_; ++k) mean += p[k] * z[k];
    for (std::size_t k = 0; k < k_; ++k) z[k] = weight * p[k] * (z[k] - mean);
  }

  const LogisticPass& pass_;
  const LogisticProblem& problem_;
  std::size_t k_, columns_, r_;  // outputs, and those that products are padded to
  double c_;
  int threads_;
  std::vector<double> p_;  // softmax: probabilities; sigmoid: p (1 - p)
};

void Curvature::set_probabilities(std::span<const double> x) {
  p_.resize(pass_.matrix().rows() * k_);
  const std::vector<double> b = pass_.intercepts(x);
  const NarrowVector<double> w = padded<double>(x);
  for_strips([&](std::size_t, std::size_t from, std::size_t to) {
    std::vector<double> buffer;
    NarrowVector<double> z(kBlock * columns_);
    for (std::size_t begin = from; begin < to; begin += kBlock) {
      const std::size_t count = std::min(kBlock, to - begin);
      const double* const a = pass_.matrix().block(begin, count, buffer);
      std::fill(z.begin(), z.end(), 0.0);
      narrow_forward(a, r_, count, r_, w.data(), k_, z.data());
      for (std::size_t i = 0; i < count; ++i) {
        double* const row = &p_[(begin + i) * k_];
        for (std::size_t k = 0; k < k_; ++k) row[k] = z[i * columns_ + k] + b[k];
        if (!pass_.targets().softmax()) {
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

std::vector<double> Curvature::times(std::span<const double> v) const {
  // float32 has no room for what the last steps are made of: all is scaled to the largest entry.
  const double largest = max_norm(v), scale = largest > 0 ? largest : 1;
  const std::vector<double> shift = pass_.intercepts(v);  // (W, c) to (W, b) is linear
  const NarrowVector<float> w = padded<float>(v, scale);
  const std::size_t stride = pass_.matrix().stride<float>();
  std::vector<NarrowVector<double>> sums(kStrips);
  for_strips([&](std::size_t s, std::size_t from, std::size_t to) {
    std::vector<float> buffer;
    NarrowVector<float> bent(kBlock * columns_);
    NarrowVector<double> z(kBlock * columns_);
    sums[s].resize(k_ * (r_ + 1));
    for (std::size_t begin = from; begin < to; begin += kBlock) {
      const std::size_t count = std::min(kBlock, to - begin);
      const float* const a = pass_.matrix().block(begin, count, buffer);
      std::fill(z.begin(), z.end(), 0.0);
      narrow_forward(a, stride, count, r_, w.data(), k_, z.data());
      for (std::size_t i = 0; i < count; ++i) {
        double* const row = &z[i * columns_];
        for (std::size_t k = 0; k < k_; ++k) row[k] += shift[k] / scale;
        bend(begin + i, row);
        for (std::size_t k = 0; k < k_; ++k) {
          sums[s][k * (r_ + 1) + r_] += row[k];
          bent[i * columns_ + k] = static_cast<float>(row[k]);
        }
      }
      narrow_backward(a, stride, count, r_, bent.data(), k_, sums[s].data(), r_ + 1);
    }
  });
  std::vector<double> out((r_ + 1) * k_);
  for (const auto& part : sums) {
    for (std::size_t d = 0; d <= r_; ++d) {
      for (std::size_t k = 0; k < k_; ++k) out[d * k_ + k] += scale * part[k * (r_ + 1) + d];
    }
  }
  for (std::size_t d = 0; d < r_; ++d) {
    for (std::size_t k = 0; k < k_; ++k) out[d * k_ + k] += v[d * k_ + k] / c_ - pass_.means()[d] * out[r_ * k_ + k];
  }
  return out;
}

// The Newton step by Cholesky. Rows of A are (x - means, 1); block (k, l) of the Hessian is A' diag(p_k ([k = l] -
// p_l)) A.
std::vector<double> Curvature::solve_dense(std::span<const double> gradient) const {
  const std::size_t n = pass_.matrix().rows(), m = r_ + 1, size = m * k_;
  std::vector<double> buffer, a(n * m), scaled(n * m), block(m * m), hessian(size * size);
  for (std::size_t i = 0; i < n; ++i) {
    const double* const row = pass_.matrix().block(i, 1, buffer);
    for (std::size_t d = 0; d < r_; ++d) a[i * m + d] = row[d] - pass_.means()[d];
    a[i * m + r_] = 1;
  }
  for (std::size_t k = 0; k < k_; ++k) {
    for (std::size_t l = 0; l <= k; ++l) {
      for (std::size_t i = 0; i < n; ++i) {
        const double* const p = &p_[i * k_];
        const double bend = known(i) * (pass_.targets().softmax() ? p[k] * ((k == l) - p[l]) : p[0]);
        for (std::size_t d = 0; d < m; ++d) scaled[i * m + d] = bend * a[i * m + d];
      }
      cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, as_int(m), as_int(m), as_int(n), 1, scaled.data(), as_int(m),
                  a.data(), as_int(m), 0, block.data(), as_int(m));
      for (std::size_t d = 0; d < m; ++d) {
        for (std::size_t e = 0; e < m; ++e) hessian[(d * k_ + k) * size + e * k_ + l] = block[d * m + e];
      }
    }
  }
  // Unknown (d, k) stands at d K + k. The order within a column pair (d, e) needs both triangles of the small blocks.
  for (std::size_t d = 0; d < m; ++d) {
    for (std::size_t e = 0; e < m; ++e) {
      for (std::size_t k = 0; k < k_; ++k) {
        for (std::size_t l = k + 1; l < k_; ++l)
          hessian[(d * k_ + k) * size + e * k_ + l] = hessian[(e * k_ + l) * size + d * k_ + k];
      }
    }
  }
  for (std::size_t i = 0; i < r_ * k_; ++i) hessian[i * size + i] += 1 / c_;
  // Softmax doesn't see a common shift of the intercepts; this holds it at zero and changes nothing else.
  if (pass_.targets().softmax()) {
    for (std::size_t k = 0; k < k_; ++k) {
      for (std::size_t l = 0; l < k_; ++l) hessian[(r_ * k_ + k) * size + r_ * k_ + l] += static_cast<double>(n);
    }
  }
  std::vector<double> step(gradient.begin(), gradient.end());
  if (LAPACKE_dposv(LAPACK_COL_MAJOR, 'U', as_int(size), 1, hessian.data(), as_int(size), step.data(), as_int(size)) !=
      0) {
    return {};
  }
  for (double& v : step) v = -v;
  return step;
}

// Conjugate gradients on H step = -gradient until half the squared preconditioned residual, which is what will be left
// of the decrement, is `near` of the gradient's, or `enough`.
std::vector<double> solve_by_gradients(const Curvature& curvature, const LogisticPreconditioner& preconditioner,
                                       std::span<const double> gradient, double near, double enough, int most,
                                       const Context& context, int& passes) {
  // The least and the most that is asked of a step.
  constexpr double kCoarse = 1e-2, kSharp = 1e-6;
  std::vector<double> step(gradient.size()), residual(gradient.size());
  for (std::size_t i = 0; i < residual.size(); ++i) residual[i] = -gradient[i];
  const auto precondition = [&](std::span<const double> v) {
    const std::span<const double> one[] = {v};
    return std::move(preconditioner.apply(one)[0]);
  };
  std::vector<double> z = precondition(residual), p = z;
  double rz = dot(residual, z);
  const double goal = std::clamp(std::max(near * rz, 2 * enough), kSharp * rz, kCoarse * rz);
  for (int i = 0; i < most && rz > goal; ++i) {
    context.throw_if_stopped();
    const std::vector<double> hp = curvature.times(p);
    ++passes;
    const double bend = dot(p, hp);
    if (!(bend > 0)) break;
    const double alpha = rz / bend;
    cblas_daxpy(as_int(step.size()), alpha, p.data(), 1, step.data(), 1);
    cblas_daxpy(as_int(step.size()), -alpha, hp.data(), 1, residual.data(), 1);
    z = precondition(residual);
    const double next = dot(residual, z), beta = next / rz;
    rz = next;
    for (std::size_t j = 0; j < p.size(); ++j) p[j] = z[j] + beta * p[j];
  }
  return step;
}

// Value and gradient of the whole objective.
void measure(LogisticPass& pass, const LogisticProblem& problem, double c, int threads, LogisticPoint& at,
             std::vector<double>& gradient, std::vector<double>* curvature = nullptr) {
  Trial trial{&problem, at.x, 0, {}};
  pass.evaluate<double>(std::span(&trial, 1), threads, curvature, 1);
  const std::size_t outputs = pass.targets().outputs();
  for (std::size_t i = 0; i + outputs < at.x.size(); ++i) trial.gradient[i] += at.x[i] / c;
  at.loss = trial.loss;
  at.objective = trial.loss + logistic_penalty(at.x, outputs, c);
  gradient = std::move(trial.gradient);
  at.gradient_max = max_norm(gradient);
  ++at.passes;
}

}  // namespace

LogisticPoint finish_logistic(LogisticPass& pass, LogisticPreconditioner& preconditioner, double c,
                              const LogisticProblem& problem, LogisticPoint from, double stop, const Context& context) {
  constexpr int kMostSteps = 40, kMostGradients = 250;
  constexpr double kEnough = 1e-4;  // of the stop: the preconditioned decrement is the true one up to some factor
  const bool dense = pass.point_size() <= kDense && pass.matrix().rows() <= 4 * kDense;
  LogisticPoint at = std::move(from);
  std::vector<double> gradient, curvature_at_start;
  measure(pass, problem, c, context.threads, at, gradient, &curvature_at_start);
  if (!dense) preconditioner.prepare(c, std::move(curvature_at_start));
  for (int i = 0; i < kMostSteps; ++i) {
    context.throw_if_stopped();
    const Curvature curvature(pass, problem, at.x, c, context.threads);
    // Forcing terms as in Nocedal & Wright, section 7.1: sharper as the end comes near, but not beyond what ends it.
    const double near = std::max(at.decrement, 0.0) / std::max(at.objective, 1e-300);
    std::vector<double> step =
        dense ? curvature.solve_dense(gradient)
              : solve_by_gradients(curvature, preconditioner, gradient, near, kEnough * stop * at.objective,
                                   kMostGradients, context, at.passes);
    if (step.empty()) break;
    const double slope = dot(gradient, step);
    at.decrement = -slope / 2;
    at.converged = at.decrement <= stop * at.objective;
    // A step that was paid for is taken, and the dense one, which costs little, as long as it still sharpens the
    // gradient.
    const bool last = at.converged && !dense;
    LogisticPoint next = at;
    std::vector<double> next_gradient;
    double t = 1;
    for (; t > 1e-8; t /= 2) {
      for (std::size_t j = 0; j < at.x.size(); ++j) next.x[j] = at.x[j] + t * step[j];
      measure(pass, problem, c, context.threads, next, next_gradient);
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

}  // namespace vise
