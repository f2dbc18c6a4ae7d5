// The matrix a linear solver works on, N x R, read in blocks of rows: the features in place (float32, anywhere), or,
// where there are fewer rows than dimensions, the rows' coordinates in an orthonormal basis of the space they span.
//
//   const RowMatrix a = RowMatrix::make(rows, dim, threads);
//   const ConstView<double> x = a.block(begin, count, buffer);  // count x a.columns()
//   const Matrix<double> w = a.to_features(v);                  // weights on the features themselves, a row an output
//
// The rotation is exact for a solver whose penalty is the squared norm: its optimum is in the rows' span, norms and
// inner products are kept. It comes from the Cholesky factor of XX' (X = L Q', Q orthonormal: row i of L is row i of X
// in the basis Q), or from the eigenvectors of XX' where rows repeat or nearly so.
//
// Results don't depend on `threads`. Safe to read from many threads. `rows` must outlive the matrix.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "probes/matrix.h"

namespace vise::probes {

class RowMatrix {
 public:
  static RowMatrix make(std::vector<const float*> rows, std::size_t dim, int threads);

  std::size_t rows() const { return rows_.size(); }
  std::size_t columns() const { return columns_; }
  bool rotated() const { return coordinates_.size() > 0; }

  // Rows [begin, begin + count); `buffer` is used where they aren't evenly spaced, and grown as needed.
  ConstView<float> block(std::size_t begin, std::size_t count, std::vector<float>& buffer) const;
  ConstView<double> block(std::size_t begin, std::size_t count, std::vector<double>& buffer) const;

  // Rows before `end` are zero from this column on: of the Cholesky factor half is.
  std::size_t extent(std::size_t end) const { return rotated() && to_rows_.size() == 0 ? end : columns_; }

  // Weights of K outputs: columns() x K to K x dim.
  Matrix<double> to_features(const ConstRef<double>& v) const;

  Row means() const;  // of the columns

  // A'diag(weights)A for rows A = (x - means, 1): (columns + 1) squared, lower triangle. From at most `most` rows
  // evenly taken and scaled up; rows that weigh next to nothing are left out. float32 products, double sums: for
  // preconditioning.
  Matrix<double> centred_gram(const Row& means, std::span<const double> weights, std::size_t most, int threads) const;

 private:
  // Rows a multiple of 4,096 bytes long all begin in the same set of the first cache, which holds eight of them: they
  // are put a line further apart.
  static std::size_t packed_stride(std::size_t dim) { return dim % 1024 == 0 ? dim + 16 : dim; }
  void rotate(int threads);
  void factor_by_eigenvectors(Matrix<double> gram);

  std::vector<const float*> rows_;
  std::size_t dim_ = 0, columns_ = 0;
  Matrix<float> packed_;        // the features one below the other, where they are small enough
  Matrix<double> coordinates_;  // N x columns; Cholesky: L, lower triangular
  Matrix<float> coordinates_float_;
  Matrix<double> to_rows_;  // eigenvectors: N x columns, U / S; empty for Cholesky
};

}  // namespace vise::probes
