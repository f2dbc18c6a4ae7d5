#include "probes/row_matrix.h"

#include <cblas.h>
#include <fmt/format.h>
#include <lapacke.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "base/threads.h"

namespace vise {
namespace {

constexpr std::size_t kTile = 256;
constexpr std::size_t kGramChunk = 1024;  // rows whose products are summed in float32
// Features up to this size are copied side by side, which saves gathering them at every pass.
constexpr std::size_t kPackBytes = std::size_t{256} << 20;

int as_int(std::size_t n) { return static_cast<int>(n); }

struct Tile {
  std::size_t row, column;
};

std::vector<Tile> lower_tiles(std::size_t n) {
  std::vector<Tile> tiles;
  for (std::size_t i = 0; i < n; i += kTile) {
    for (std::size_t j = 0; j <= i; j += kTile) tiles.push_back({i, j});
  }
  return tiles;
}

void mirror(std::vector<double>& a, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i + 1; j < n; ++j) a[i * n + j] = a[j * n + i];
  }
}

// X X' in double, tile by tile, dimensions in chunks.
std::vector<double> row_gram(const std::vector<const float*>& rows, std::size_t dim, int threads) {
  const std::size_t n = rows.size();
  std::vector<double> gram(n * n), chunk(n * kTile);
  const std::vector<Tile> tiles = lower_tiles(n);
  for (std::size_t begin = 0; begin < dim; begin += kTile) {
    const std::size_t width = std::min(kTile, dim - begin);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t d = 0; d < width; ++d) chunk[i * width + d] = static_cast<double>(rows[i][begin + d]);
    }
    parallel_for(threads, tiles.size(), [&](std::size_t t) {
      const auto [i, j] = tiles[t];
      cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, as_int(std::min(kTile, n - i)),
                  as_int(std::min(kTile, n - j)), as_int(width), 1, &chunk[i * width], as_int(width), &chunk[j * width],
                  as_int(width), 1, &gram[i * n + j], as_int(n));
    });
  }
  mirror(gram, n);
  return gram;
}

}  // namespace

RowMatrix RowMatrix::make(std::vector<const float*> rows, std::size_t dim, int threads) {
  RowMatrix a;
  a.rows_ = std::move(rows);
  a.dim_ = a.columns_ = dim;
  const std::size_t n = a.rows_.size();
  if (n < dim) {
    a.rotate(threads);
  } else if (n * dim * sizeof(float) <= kPackBytes) {
    const std::size_t stride = packed_stride(dim);
    a.packed_.resize(n * stride);
    for (std::size_t i = 0; i < n; ++i) std::copy(a.rows_[i], a.rows_[i] + dim, &a.packed_[i * stride]);
  }
  return a;
}

void RowMatrix::rotate(int threads) {
  const std::size_t n = rows_.size();
  std::vector<double> gram = row_gram(rows_, dim_, threads);
  std::vector<double> factor = gram;
  double largest = 0, smallest = INFINITY;
  if (LAPACKE_dpotrf(LAPACK_ROW_MAJOR, 'L', as_int(n), factor.data(), as_int(n)) == 0) {
    for (std::size_t i = 0; i < n; ++i) {
      largest = std::max(largest, factor[i * n + i]);
      smallest = std::min(smallest, factor[i * n + i]);
    }
  }
  // A pivot this small is rounding: the row is (nearly) a combination of others.
  if (largest > 0 && smallest > 1e-6 * largest) {
    for (std::size_t i = 0; i < n; ++i) std::fill(&factor[i * n + i] + 1, &factor[i * n] + n, 0.0);
    coordinates_ = std::move(factor);
    columns_ = n;
  } else {
    factor_by_eigenvectors(std::move(gram));
  }
  coordinates_float_.assign(coordinates_.begin(), coordinates_.end());
}

void RowMatrix::factor_by_eigenvectors(std::vector<double> gram) {
  const std::size_t n = rows_.size();
  std::vector<double> values(n);
  if (LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', 'L', as_int(n), gram.data(), as_int(n), values.data()) != 0) {
    throw Error(ErrorKind::system, "the eigenvectors of the features' Gram matrix were not found");
  }
  std::size_t first = 0;
  while (first + 1 < n && values[first] <= 1e-13 * values[n - 1]) ++first;
  columns_ = n - first;
  coordinates_.resize(n * columns_);
  to_rows_.resize(n * columns_);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < columns_; ++j) {
      const double scale = std::sqrt(std::max(values[first + j], 1e-300));
      coordinates_[i * columns_ + j] = gram[(first + j) * n + i] * scale;
      to_rows_[i * columns_ + j] = gram[(first + j) * n + i] / scale;
    }
  }
}

const float* RowMatrix::block(std::size_t begin, std::size_t count, std::vector<float>& buffer) const {
  if (rotated()) return &coordinates_float_[begin * columns_];
  if (!packed_.empty()) return &packed_[begin * packed_stride(dim_)];
  bool together = true;
  for (std::size_t i = begin + 1; i < begin + count; ++i) together = together && rows_[i] == rows_[i - 1] + dim_;
  if (together) return rows_[begin];
  buffer.resize(std::max(buffer.size(), count * dim_));
  for (std::size_t i = 0; i < count; ++i) std::memcpy(&buffer[i * dim_], rows_[begin + i], dim_ * sizeof(float));
  return buffer.data();
}

const double* RowMatrix::block(std::size_t begin, std::size_t count, std::vector<double>& buffer) const {
  if (rotated()) return &coordinates_[begin * columns_];
  buffer.resize(std::max(buffer.size(), count * dim_));
  for (std::size_t i = 0; i < count; ++i) std::copy(rows_[begin + i], rows_[begin + i] + dim_, &buffer[i * dim_]);
  return buffer.data();
}

std::vector<double> RowMatrix::to_features(std::span<const double> v, std::size_t outputs) const {
  if (!rotated()) return std::vector<double>(v.begin(), v.end());
  const std::size_t n = rows_.size();
  std::vector<double> alpha(n * outputs);
  if (to_rows_.empty()) {
    std::copy(v.begin(), v.end(), alpha.begin());
    cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, CblasTrans, CblasNonUnit, as_int(n), as_int(outputs), 1,
                coordinates_.data(), as_int(n), alpha.data(), as_int(outputs));
  } else {
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, as_int(n), as_int(outputs), as_int(columns_), 1,
                to_rows_.data(), as_int(columns_), v.data(), as_int(outputs), 0, alpha.data(), as_int(outputs));
  }
  std::vector<double> w(dim_ * outputs);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t d = 0; d < dim_; ++d) {
      const auto x = static_cast<double>(rows_[i][d]);
      for (std::size_t k = 0; k < outputs; ++k) w[d * outputs + k] += x * alpha[i * outputs + k];
    }
  }
  return w;
}

std::vector<double> RowMatrix::means() const {
  std::vector<double> sums(columns_);
  std::vector<float> buffer;
  for (std::size_t begin = 0; begin < rows(); begin += kTile) {
    const std::size_t count = std::min(kTile, rows() - begin);
    const float* const x = block(begin, count, buffer);
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t d = 0; d < columns_; ++d) sums[d] += static_cast<double>(x[i * stride<float>() + d]);
    }
  }
  for (double& sum : sums) sum /= static_cast<double>(rows());
  return sums;
}

std::vector<double> RowMatrix::centred_gram(std::span<const double> means, std::span<const double> weights,
                                            std::size_t most, int threads) const {
  constexpr double kNothing = 1e-4;  // of the mean weight
  const std::size_t r = columns_ + 1, stride = std::max<std::size_t>(1, rows() / std::max(most, kTile));
  double total = 0, taken = 0;
  for (const double w : weights) total += w;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < rows(); i += stride) {
    if (weights[i] <= kNothing * total / static_cast<double>(rows())) continue;
    places.push_back(i);
    taken += weights[i];
  }
  std::vector<double> gram(r * r);
  const std::vector<Tile> tiles = lower_tiles(r);
  std::vector<float> scaled(std::min(kGramChunk, places.size()) * r);
  for (std::size_t begin = 0; begin < places.size(); begin += kGramChunk) {
    const std::size_t count = std::min(kGramChunk, places.size() - begin);
    parallel_for(threads, count, [&](std::size_t i) {
      std::vector<float> buffer;
      const float* const x = block(places[begin + i], 1, buffer);
      const double root = std::sqrt(weights[places[begin + i]] * total / taken);
      for (std::size_t d = 0; d + 1 < r; ++d)
        scaled[i * r + d] = static_cast<float>(root * (static_cast<double>(x[d]) - means[d]));
      scaled[i * r + r - 1] = static_cast<float>(root);
    });
    parallel_for(threads, tiles.size(), [&](std::size_t t) {
      const auto [i, j] = tiles[t];
      const std::size_t height = std::min(kTile, r - i), width = std::min(kTile, r - j);
      std::vector<float> product(height * width);
      cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, as_int(height), as_int(width), as_int(count), 1, &scaled[i],
                  as_int(r), &scaled[j], as_int(r), 0, product.data(), as_int(width));
      for (std::size_t a = 0; a < height; ++a) {
        for (std::size_t c = 0; c < width; ++c)
          gram[(i + a) * r + j + c] += static_cast<double>(product[a * width + c]);
      }
    });
  }
  return gram;
}

}  // namespace vise
