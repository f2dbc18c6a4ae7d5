#include "probes/logistic/preconditioner.h"

#include <lapacke.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/threads.h"
#include "probes/logistic/triangular_inverse.h"

namespace vise::probes {
namespace {

constexpr std::size_t kGramRows = 16384;     // enough rows for a preconditioner
constexpr double kMoved = 0.3;               // share of the curvature beyond which X'DX is made anew
constexpr std::size_t kDoubleFactor = 1024;  // smaller factors are made in double
constexpr std::size_t kSmallGram = 4096;     // of which two are kept

}  // namespace

LogisticPreconditioner::LogisticPreconditioner(const LogisticPass& pass, int threads)
    : pass_(pass), size_(pass.matrix().columns() + 1), outputs_(pass.targets().outputs()), threads_(threads) {}

// A factor costs as much as many passes, so it is made anew only if the curvature has moved to other
// rows, or the ridge has left the range that the factor in use was made for.
void LogisticPreconditioner::prepare(double c, std::vector<double> curvature) {
  const double sum = std::accumulate(curvature.begin(), curvature.end(), 0.0), decade = std::sqrt(10.0) * 1.001;
  // Two things may still fit: the Gram matrix of a curvature (`fresh`), and the factor for a range of s C.
  const bool fresh = select_gram(std::move(curvature), sum) && factored_c_ > 0;
  const Gram& gram = grams_.front();
  scale_ = sum / gram.sum;
  const double scaled = c * scale_;
  if (fresh && scaled <= factored_c_ * decade && scaled >= factored_c_ / decade) return;
  // The ridge 1/C is already small beside every pivot: a weaker one would change nothing.
  if (fresh && scaled > factored_c_ && 1 / factored_c_ < 1e-2 * least_pivot_) return;
  // On a path the next values are larger.
  factored_c_ = fresh && scaled > factored_c_ ? scaled * std::sqrt(10.0) : scaled;
  const double largest = gram.values.diagonal().maxCoeff();
  double jitter = (size_ <= kDoubleFactor ? 1e-12 : 1e-6) * largest;
  // Features may be linearly dependent, and with a weak ridge float32 then meets a pivot that rounds to
  // zero or below. A little more on the diagonal costs the preconditioner nothing that counts.
  while (!factor(factored_c_, jitter)) jitter = 10 * jitter + 1e-300;
}

// grams_.front() is the one in use afterwards.
bool LogisticPreconditioner::select_gram(std::vector<double> curvature, double sum) {
  for (std::size_t i = 0; i < grams_.size(); ++i) {
    if (moved(grams_[i], curvature, sum) > kMoved) continue;
    std::swap(grams_[0], grams_[i]);
    return i == 0;
  }
  // From at most kGramRows rows: the spectrum of a sample serves.
  Gram gram{pass_.matrix().centred_gram(pass_.means(), curvature, kGramRows, threads_), std::move(curvature), sum};
  for (double& share : gram.shares) share /= sum;
  grams_.push_front(std::move(gram));
  if (grams_.size() > (size_ <= kSmallGram ? 2 : 1)) grams_.pop_back();
  return false;
}

double LogisticPreconditioner::moved(const Gram& gram, std::span<const double> curvature, double sum) {
  double moved = 0;
  // Total variation between the two distributions of curvature over rows; a common factor
  // is not seen, which scale_ takes care of.
  for (std::size_t i = 0; i < curvature.size(); ++i) moved += std::abs(curvature[i] / sum - gram.shares[i]) / 2;
  return moved;
}

// Small factors are made in double, which costs little; large ones in float32, since a
// preconditioner needs to be near the inverse and no more.
bool LogisticPreconditioner::factor(double c, double jitter) {
  const auto r = static_cast<Eigen::Index>(size_);
  const Matrix<double>& gram = grams_.front().values;
  Vector diagonal = gram.diagonal();
  diagonal.head(r - 1).array() += 1 / c;
  diagonal.array() += jitter;
  Matrix<float> inverse;
  if (size_ <= kDoubleFactor) {
    // Column-major upper = row-major lower, without LAPACKE's transposing copy: A = U'U with U = L'. Eigen has no
    // inverse of a triangle.
    const int n = static_cast<int>(r);
    Matrix<double> a = gram;
    a.diagonal() = diagonal;
    if (LAPACKE_dpotrf(LAPACK_COL_MAJOR, 'U', n, a.data(), n) != 0) return false;
    if (LAPACKE_dtrtri(LAPACK_COL_MAJOR, 'U', 'N', n, a.data(), n) != 0) return false;
    inverse = a.cast<float>();
    inverse.triangularView<Eigen::StrictlyUpper>().setZero();
  } else {
    inverse = gram.cast<float>();
    inverse.diagonal() = diagonal.cast<float>();
    if (!invert_cholesky_factor(inverse, threads_)) return false;
  }
  // The inverse's diagonal holds one over the pivots' roots.
  const Eigen::ArrayXd roots = inverse.diagonal().cast<double>();
  if (!roots.isFinite().all()) return false;
  least_pivot_ = (1 / roots.square()).minCoeff();
  inverse_ = TriangularTiles(inverse, threads_);
  return true;
}

// One factor serves all outputs: in the basis of contrasts the softmax's Hessian at equal shares is
// the same for each, so the columns of all problems go through one product.
std::vector<Matrix<double>> LogisticPreconditioner::apply(std::span<const Matrix<double>* const> in) const {
  const Contrasts& contrasts = pass_.contrasts();
  const std::size_t r = size_, reduced = contrasts.size(), width = in.size() * reduced;
  std::vector<Matrix<double>> out(in.size(), Matrix<double>(r, outputs_));
  NarrowMatrix<float> g(r, width), t(r, width);
  // float32 has no room for gradients of 1e-40: each is scaled to its largest entry.
  std::vector<double> scale(in.size());
  for (std::size_t a = 0; a < in.size(); ++a) {
    const double largest = in[a]->cwiseAbs().maxCoeff();
    scale[a] = largest > 0 ? largest : 1;
  }
  const auto for_tiles = [&](int threads, const auto& body) {
    parallel_for(threads, inverse_.tiles(),
                 [&](std::size_t tile) { body(tile, inverse_.begin(tile), inverse_.count(tile)); });
  };
  const int threads = threads_worth(r * r * width / 8, threads_);
  for_tiles(threads_worth(8 * r * width, threads_), [&](std::size_t, std::size_t begin, std::size_t count) {
    for (std::size_t a = 0; a < in.size(); ++a)
      contrasts.reduce_rows(in[a]->middleRows(begin, count), 1 / scale[a],
                            g.view(begin, count).middleCols(a * reduced, reduced));
  });
  // The long ones first: the last rows, the first columns.
  parallel_for(threads, inverse_.tiles(), [&](std::size_t i) {
    const std::size_t tile = inverse_.tiles() - 1 - i, count = inverse_.count(tile);
    NarrowMatrix<double> z(count, width);
    // M^-1 = (L^-1)' L^-1. Two products with the inverted factor are faster than two triangular
    // solves, whose rows wait for one another.
    inverse_.times(tile, std::as_const(g).view(), z.view());
    t.view(inverse_.begin(tile), count) = z.view().cast<float>();
  });
  for_tiles(threads, [&](std::size_t tile, std::size_t begin, std::size_t count) {
    NarrowMatrix<double> u(width, count);
    inverse_.transposed_times(tile, std::as_const(t).view(), u.view());
    for (std::size_t a = 0; a < in.size(); ++a)
      contrasts.expand_columns(u.view(a * reduced, reduced), scale[a] / scale_, out[a].middleRows(begin, count));
  });
  return out;
}

}  // namespace vise::probes
