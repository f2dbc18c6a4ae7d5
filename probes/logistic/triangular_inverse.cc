#include "probes/logistic/triangular_inverse.h"

#include <cblas.h>
#include <lapacke.h>

#include <algorithm>
#include <atomic>
#include <span>
#include <vector>

#include "base/threads.h"

namespace vise::probes {
namespace {

constexpr std::size_t kTile = 192;

int as_int(std::size_t n) { return static_cast<int>(n); }

// In three steps: factor(), invert_diagonal(), then invert_column() from the last column to the first.

// The matrix in square tiles; those of the last row and column may be smaller.
struct Tiles {
  std::span<float> a;
  std::size_t n;
  int threads;

  std::size_t count() const { return (n + kTile - 1) / kTile; }
  std::size_t begin(std::size_t tile) const { return tile * kTile; }
  int size(std::size_t tile) const { return as_int(std::min(kTile, n - begin(tile))); }
  int stride() const { return as_int(n); }
  float* at(std::size_t i, std::size_t j) const { return &a[begin(i) * n + begin(j)]; }
};

// L in place of the lower triangle. Row-major lower is LAPACK's column-major upper: no LAPACKE copy is needed.
bool factor(const Tiles& m) {
  for (std::size_t k = 0; k < m.count(); ++k) {
    if (LAPACKE_spotrf(LAPACK_COL_MAJOR, 'U', m.size(k), m.at(k, k), m.stride()) != 0) return false;
    // The right-looking form: after a diagonal tile its column is solved, then everything to the
    // right is updated, in tiles that don't touch one another.
    const std::size_t below = m.count() - k - 1;
    parallel_for(m.threads, below, [&](std::size_t t) {
      const std::size_t i = k + 1 + t;
      cblas_strsm(CblasRowMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit, m.size(i), m.size(k), 1, m.at(k, k),
                  m.stride(), m.at(i, k), m.stride());
    });
    parallel_for(m.threads, below * (below + 1) / 2, [&](std::size_t t) {
      std::size_t row = 0;
      // Tile t of the lower triangle, counted row by row.
      for (; t > row; ++row) t -= row + 1;
      const std::size_t i = k + 1 + row, j = k + 1 + t;
      cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m.size(i), m.size(j), m.size(k), -1, m.at(i, k), m.stride(),
                  m.at(j, k), m.stride(), 1, m.at(i, j), m.stride());
    });
  }
  return true;
}

// The inverses of the tiles on the diagonal, zero above it.
bool invert_diagonal(const Tiles& m) {
  std::atomic<bool> fine = true;
  parallel_for(m.threads, m.count(), [&](std::size_t k) {
    if (LAPACKE_strtri(LAPACK_COL_MAJOR, 'U', 'N', m.size(k), m.at(k, k), m.stride()) != 0) fine = false;
    for (std::size_t i = m.begin(k); i < std::min(m.n, m.begin(k) + kTile); ++i)
      std::fill(&m.a[i * m.n + i] + 1, m.a.data() + (i + 1) * m.n, 0.0F);
  });
  return fine;
}

// Column k of the inverse, from L's column and the inverse's columns after it:
// inv(L)[i, k] = - sum over j > k of inv(L)[i, j] L[j, k] inv(L)[k, k].
void invert_column(const Tiles& m, std::size_t k) {
  const std::size_t first = k + 1, below = m.count() - first;
  const int width = m.size(k);
  std::vector<float> column((m.n - m.begin(k)) * kTile);
  parallel_for(m.threads, below, [&](std::size_t t) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m.size(first + t), width, width, -1, m.at(first + t, k),
                m.stride(), m.at(k, k), m.stride(), 0, &column[t * kTile * static_cast<std::size_t>(width)], width);
  });
  parallel_for(m.threads, below, [&](std::size_t t) {
    const std::size_t i = m.count() - 1 - t;  // the long ones first
    const int length = as_int(m.begin(i) - m.begin(first)) + m.size(i);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m.size(i), width, length, 1, m.at(i, first), m.stride(),
                column.data(), width, 0, m.at(i, k), m.stride());
  });
}

}  // namespace

bool invert_cholesky_factor(Matrix<float>& a, int threads) {
  const Tiles m{{a.data(), static_cast<std::size_t>(a.size())}, static_cast<std::size_t>(a.rows()), threads};
  if (!factor(m) || !invert_diagonal(m)) return false;
  // From the last column to the first: a column needs the inverse of those after it.
  for (std::size_t k = m.count() - 1; k-- > 0;) invert_column(m, k);
  return true;
}

}  // namespace vise::probes
