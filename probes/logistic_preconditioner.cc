#include "probes/logistic_preconditioner.h"

#include <lapacke.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/threads.h"
#include "probes/triangular_inverse.h"
#include "probes/vectors.h"

namespace vise {
namespace {

constexpr std::size_t kGramRows = 16384;     // enough rows for a preconditioner
constexpr double kMoved = 0.3;               // share of the curvature beyond which X'DX is made anew
constexpr std::size_t kDoubleFactor = 1024;  // smaller factors are made in double
constexpr std::size_t kSmallGram = 4096;     // of which two are kept

int as_int(std::size_t n) { return static_cast<int>(n); }

}  // namespace

LogisticPreconditioner::LogisticPreconditioner(const LogisticPass& pass, int threads)
    : pass_(pass), size_(pass.matrix().columns() + 1), outputs_(pass.targets().outputs()), threads_(threads) {}

void LogisticPreconditioner::prepare(double c, std::vector<double> curvature) {
  const double sum = std::accumulate(curvature.begin(), curvature.end(), 0.0), decade = std::sqrt(10.0) * 1.001;
  const bool fresh = select_gram(std::move(curvature), sum) && factored_c_ > 0;
  const Gram& gram = grams_.front();
  scale_ = sum / gram.sum;
  const double scaled = c * scale_;
  if (fresh && scaled <= factored_c_ * decade && scaled >= factored_c_ / decade) return;
  if (fresh && scaled > factored_c_ && 1 / factored_c_ < 1e-2 * least_pivot_) return;
  // On a path the next values are larger.
  factored_c_ = fresh && scaled > factored_c_ ? scaled * std::sqrt(10.0) : scaled;
  double largest = 0;
  for (std::size_t i = 0; i < size_; ++i) largest = std::max(largest, gram.values[i * size_ + i]);
  double jitter = (size_ <= kDoubleFactor ? 1e-12 : 1e-6) * largest;
  while (!factor(factored_c_, jitter)) jitter = 10 * jitter + 1e-300;
}

bool LogisticPreconditioner::select_gram(std::vector<double> curvature, double sum) {
  for (std::size_t i = 0; i < grams_.size(); ++i) {
    if (moved(grams_[i], curvature, sum) > kMoved) continue;
    std::swap(grams_[0], grams_[i]);
    return i == 0;
  }
  Gram gram{pass_.matrix().centred_gram(pass_.means(), curvature, kGramRows, threads_), std::move(curvature), sum};
  for (double& share : gram.shares) share /= sum;
  grams_.push_front(std::move(gram));
  if (grams_.size() > (size_ <= kSmallGram ? 2 : 1)) grams_.pop_back();
  return false;
}

double LogisticPreconditioner::moved(const Gram& gram, std::span<const double> curvature, double sum) {
  double moved = 0;
  for (std::size_t i = 0; i < curvature.size(); ++i) moved += std::abs(curvature[i] / sum - gram.shares[i]) / 2;
  return moved;
}

bool LogisticPreconditioner::factor(double c, double jitter) {
  const std::size_t r = size_;
  const int n = as_int(r);
  const std::vector<double>& gram = grams_.front().values;
  const auto diagonal = [&](std::size_t i) { return gram[i * r + i] + (i + 1 < r ? 1 / c : 0) + jitter; };
  std::vector<float> inverse(r * r);
  if (r <= kDoubleFactor) {
    std::vector<double> a = gram;
    for (std::size_t i = 0; i < r; ++i) a[i * r + i] = diagonal(i);
    // Column-major upper = row-major lower, without LAPACKE's transposing copy: A = U'U with U = L'.
    if (LAPACKE_dpotrf(LAPACK_COL_MAJOR, 'U', n, a.data(), n) != 0) return false;
    if (LAPACKE_dtrtri(LAPACK_COL_MAJOR, 'U', 'N', n, a.data(), n) != 0) return false;
    for (std::size_t i = 0; i < r; ++i) {
      for (std::size_t j = 0; j <= i; ++j) inverse[i * r + j] = static_cast<float>(a[i * r + j]);
    }
  } else {
    parallel_for(threads_, r, [&](std::size_t i) {
      for (std::size_t j = 0; j < i; ++j) inverse[i * r + j] = static_cast<float>(gram[i * r + j]);
      inverse[i * r + i] = static_cast<float>(diagonal(i));
    });
    if (!invert_cholesky_factor(inverse, r, threads_)) return false;
  }
  // The inverse's diagonal holds one over the pivots' roots.
  least_pivot_ = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < r; ++i) {
    const auto d = static_cast<double>(inverse[i * r + i]);
    if (!std::isfinite(d)) return false;
    least_pivot_ = std::min(least_pivot_, 1 / (d * d));
  }
  inverse_ = TriangularTiles(inverse, r, threads_);
  return true;
}

std::vector<std::vector<double>> LogisticPreconditioner::apply(std::span<const std::span<const double>> in) const {
  const Contrasts& contrasts = pass_.contrasts();
  const std::size_t r = size_, k = outputs_, reduced = contrasts.size(), width = in.size() * reduced,
                    columns = narrow_stride(width);
  std::vector<std::vector<double>> out(in.size(), std::vector<double>(r * k));
  NarrowVector<float> g(r * columns), t(r * columns);
  // float32 has no room for gradients of 1e-40: each is scaled to its largest entry.
  std::vector<double> scale(in.size());
  for (std::size_t a = 0; a < in.size(); ++a) {
    const double largest = max_norm(in[a]);
    scale[a] = largest > 0 ? largest : 1;
  }
  const auto for_tiles = [&](int threads, const auto& body) {
    parallel_for(threads, inverse_.tiles(),
                 [&](std::size_t tile) { body(tile, inverse_.begin(tile), inverse_.count(tile)); });
  };
  const int threads = threads_worth(r * r * width / 8, threads_);
  for_tiles(threads_worth(8 * r * width, threads_), [&](std::size_t, std::size_t begin, std::size_t count) {
    for (std::size_t a = 0; a < in.size(); ++a)
      contrasts.reduce_rows(&in[a][begin * k], count, 1 / scale[a], &g[begin * columns + a * reduced], columns);
  });
  // The long ones first: the last rows, the first columns.
  parallel_for(threads, inverse_.tiles(), [&](std::size_t i) {
    const std::size_t tile = inverse_.tiles() - 1 - i;
    NarrowVector<double> z(inverse_.count(tile) * columns);
    inverse_.times(tile, g.data(), width, z.data());
    std::copy(z.begin(), z.end(), &t[inverse_.begin(tile) * columns]);
  });
  for_tiles(threads, [&](std::size_t tile, std::size_t begin, std::size_t count) {
    NarrowVector<double> u(width * count);
    inverse_.transposed_times(tile, t.data(), width, u.data());
    for (std::size_t a = 0; a < in.size(); ++a)
      contrasts.expand_columns(&u[a * reduced * count], count, count, scale[a] / scale_, &out[a][begin * k]);
  });
  return out;
}

}  // namespace vise
