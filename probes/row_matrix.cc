#include "probes/row_matrix.h"

#include <cblas.h>

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/threads.h"
#include "probes/eigenvectors.h"

namespace vise::probes {
namespace {

constexpr std::size_t kTile = 256;
constexpr std::size_t kGramChunk = 1024;  // rows whose products are summed in float32
// Features up to this size are copied side by side, which saves gathering them at every pass.
constexpr std::size_t kPackBytes = std::size_t{256} << 20;

template <typename Index>
int as_int(Index n) {
  return static_cast<int>(n);
}

struct Tile {
  std::size_t row, column;
};

// The tiles of the lower triangle, row by row; a symmetric product needs no others.
std::vector<Tile> lower_tiles(std::size_t n) {
  std::vector<Tile> tiles;
  for (std::size_t i = 0; i < n; i += kTile) {
    for (std::size_t j = 0; j <= i; j += kTile) tiles.push_back({i, j});
  }
  return tiles;
}

// X X' in double, tile by tile, dimensions in chunks. Here and below products are gemm's whatever their shape: of one
// row or column Eigen makes a product of matrix and vector, which sums in another order, and results keep their bits.
Matrix<double> row_gram(const std::vector<const float*>& rows, std::size_t dim, int threads) {
  const std::size_t n = rows.size();
  Matrix<double> gram = Matrix<double>::Zero(n, n), chunk(n, kTile);
  const std::vector<Tile> tiles = lower_tiles(n);
  for (std::size_t begin = 0; begin < dim; begin += kTile) {
    const std::size_t width = std::min(kTile, dim - begin);
    for (std::size_t i = 0; i < n; ++i) chunk.row(i).head(width) = feature_row(rows[i] + begin, width).cast<double>();
    parallel_for(threads, tiles.size(), [&](std::size_t t) {
      const auto [i, j] = tiles[t];
      cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, as_int(std::min(kTile, n - i)),
                  as_int(std::min(kTile, n - j)), as_int(width), 1, &chunk(i, 0), as_int(kTile), &chunk(j, 0),
                  as_int(kTile), 1, &gram(i, j), as_int(n));
    });
  }
  gram.triangularView<Eigen::StrictlyUpper>() = gram.transpose();
  return gram;
}

}  // namespace

RowMatrix RowMatrix::make(std::vector<const float*> rows, std::size_t dim, int threads) {
  RowMatrix a;
  a.rows_ = std::move(rows);
  a.dim_ = a.columns_ = dim;
  const std::size_t n = a.rows_.size();
  // With fewer rows than dimensions every product gets shorter by n / dim, and the optimum
  // is the same (row_matrix.h).
  if (n < dim) {
    a.rotate(threads);
  } else if (n * dim * sizeof(float) <= kPackBytes) {
    a.packed_.setZero(n, packed_stride(dim));
    for (std::size_t i = 0; i < n; ++i) a.packed_.row(i).head(dim) = feature_row(a.rows_[i], dim);
  }
  return a;
}

// X = L Q' with L from the Cholesky factor of XX'. Without Q, which nobody needs: to_features() comes back by L
// alone.
void RowMatrix::rotate(int threads) {
  Matrix<double> gram = row_gram(rows_, dim_, threads);
  const Eigen::LLT<Matrix<double>> cholesky(gram);
  const auto pivots = cholesky.matrixLLT().diagonal();
  // A pivot this small is rounding: the row is (nearly) a combination of others.
  if (cholesky.info() == Eigen::Success && pivots.minCoeff() > 1e-6 * pivots.maxCoeff()) {
    coordinates_ = cholesky.matrixL();
    columns_ = rows_.size();
  } else {
    factor_by_eigenvectors(std::move(gram));
  }
  coordinates_float_ = coordinates_.cast<float>();
}

// XX' = U S^2 U': the rows' coordinates are U S, and to_features() needs U / S.
void RowMatrix::factor_by_eigenvectors(Matrix<double> gram) {
  const auto [values, vectors] =
      eigenvectors(std::move(gram), Eigen::Upper, "eigenvectors of the features' Gram matrix");
  const Eigen::Index n = values.size();
  Eigen::Index first = 0;
  // Directions of this size are rounding: X X' has the square of X's condition number,
  // and 1e-13 is what double leaves.
  while (first + 1 < n && values[first] <= 1e-13 * values[n - 1]) ++first;
  const auto kept = vectors.bottomRows(n - first).transpose().array();
  const Eigen::ArrayXXd scale = values.tail(n - first).array().max(1e-300).sqrt().transpose();
  columns_ = static_cast<std::size_t>(n - first);
  coordinates_ = kept.rowwise() * scale.row(0);
  to_rows_ = kept.rowwise() / scale.row(0);
}

// No copy where rows are evenly spaced in memory: packed, rotated, or neighbours of one file.
ConstView<float> RowMatrix::block(std::size_t begin, std::size_t count, std::vector<float>& buffer) const {
  if (rotated()) return view(&coordinates_float_(begin, 0), count, columns_, columns_);
  if (packed_.size() > 0) return view(&packed_(begin, 0), count, dim_, packed_stride(dim_));
  bool together = true;
  // Rows of one file are next to each other more often than not, and then need no copy.
  for (std::size_t i = begin + 1; i < begin + count; ++i) together = together && rows_[i] == rows_[i - 1] + dim_;
  if (together) return view(rows_[begin], count, dim_, dim_);
  buffer.resize(std::max(buffer.size(), count * dim_));
  for (std::size_t i = 0; i < count; ++i) std::memcpy(&buffer[i * dim_], rows_[begin + i], dim_ * sizeof(float));
  return view(std::as_const(buffer).data(), count, dim_, dim_);
}

ConstView<double> RowMatrix::block(std::size_t begin, std::size_t count, std::vector<double>& buffer) const {
  if (rotated()) return view(&coordinates_(begin, 0), count, columns_, columns_);
  buffer.resize(std::max(buffer.size(), count * dim_));
  for (std::size_t i = 0; i < count; ++i) std::copy(rows_[begin + i], rows_[begin + i] + dim_, &buffer[i * dim_]);
  return view(std::as_const(buffer).data(), count, dim_, dim_);
}

Matrix<double> RowMatrix::to_features(const ConstRef<double>& v) const {
  if (!rotated()) return v.transpose();
  Matrix<double> alpha;
  if (to_rows_.size() == 0) {
    alpha = v;
    // w = Q v with X = L Q', so w = X' L^-T v.
    coordinates_.triangularView<Eigen::Lower>().transpose().solveInPlace(alpha);
  } else {
    alpha.resize(to_rows_.rows(), v.cols());
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, as_int(alpha.rows()), as_int(v.cols()), as_int(columns_), 1,
                to_rows_.data(), as_int(columns_), v.data(), as_int(v.outerStride()), 0, alpha.data(),
                as_int(v.cols()));  // as in row_gram: K may be 1
  }
  // Row by row of the features, which may be at any address.
  Matrix<double> w = Matrix<double>::Zero(v.cols(), dim_);
  for (std::size_t i = 0; i < rows_.size(); ++i)
    w.noalias() += alpha.row(i).transpose() * feature_row(rows_[i], dim_).cast<double>();
  return w;
}

// In double, by blocks in the rows' order.
Row RowMatrix::means() const {
  Row sums = Row::Zero(columns_);
  std::vector<float> buffer;
  for (std::size_t begin = 0; begin < rows(); begin += kTile) {
    const ConstView<float> x = block(begin, std::min(kTile, rows() - begin), buffer);
    for (Eigen::Index i = 0; i < x.rows(); ++i) sums += x.row(i).cast<double>();
  }
  return sums / static_cast<double>(rows());
}

// A'DA of the rows less their means, with the intercept as a last column of ones: each row is scaled by
// the root of its weight, so the sum is a plain product of the scaled rows with themselves.
Matrix<double> RowMatrix::centred_gram(const Row& means, std::span<const double> weights, std::size_t most,
                                       int threads) const {
  constexpr double kNothing = 1e-4;  // of the mean weight
  // A preconditioner needs the spectrum and no exact sum: every stride-th row, and of those
  // only rows with curvature, scaled up to the total.
  const std::size_t r = columns_ + 1, stride = std::max<std::size_t>(1, rows() / std::max(most, kTile));
  double total = 0, taken = 0;
  for (const double w : weights) total += w;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < rows(); i += stride) {
    if (weights[i] <= kNothing * total / static_cast<double>(rows())) continue;
    places.push_back(i);
    taken += weights[i];
  }
  Matrix<double> gram = Matrix<double>::Zero(r, r);
  const std::vector<Tile> tiles = lower_tiles(r);
  Matrix<float> scaled(std::min(kGramChunk, places.size()), r);
  for (std::size_t begin = 0; begin < places.size(); begin += kGramChunk) {
    const std::size_t count = std::min(kGramChunk, places.size() - begin);
    parallel_for(threads, count, [&](std::size_t i) {
      std::vector<float> buffer;
      const ConstView<float> x = block(places[begin + i], 1, buffer);
      const double root = std::sqrt(weights[places[begin + i]] * total / taken);
      scaled.row(i).head(columns_) = (root * (x.row(0).cast<double>() - means)).cast<float>();
      scaled(i, columns_) = static_cast<float>(root);
    });
    // gemm's as in row_gram: of 2,048 columns and the intercept the last tile is one row high.
    parallel_for(threads, tiles.size(), [&](std::size_t t) {
      const auto [i, j] = tiles[t];
      Matrix<float> product(std::min(kTile, r - i), std::min(kTile, r - j));
      cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, as_int(product.rows()), as_int(product.cols()),
                  as_int(count), 1, &scaled(0, i), as_int(r), &scaled(0, j), as_int(r), 0, product.data(),
                  as_int(product.cols()));
      gram.block(i, j, product.rows(), product.cols()) += product.cast<double>();
    });
  }
  return gram;
}

}  // namespace vise::probes
