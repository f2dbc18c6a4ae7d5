// The matrices of this room: Eigen's, row-major, as features, scores and files are. A row is an item (or an output of a
// model), and its values are contiguous.
//
//   Matrix<T>               owns its values, which are not zero until somebody says so
//   ConstView<T>, View<T>   what somebody else owns, to read or to write; rows needn't be contiguous. Made by view(...)
//   ConstRef<T>, Ref<T>     how a function takes any of these, or a block of one
//   Vector, Row             one column, one row, of doubles
//
//   const ConstView<double> z = view(scores);                  // Scores of probes/views.h as a matrix
//   weights.noalias() = features.transpose() * z;              // OpenBLAS's gemm
//
// Products, triangular solves and Cholesky factors of float and double go to OpenBLAS and LAPACKE (EIGEN_USE_BLAS,
// EIGEN_USE_LAPACKE). Templates of Eigen that are compiled with and without these are different functions of one name,
// so they are set once, for vise::probes and all that link it, and this header looks.
//
// Eigen's own loops are compiled for SSE2, OpenBLAS's chosen at run time: eigenvectors (eigenvectors.h), long dot
// products (vectors.h) and products with few columns (narrow_product.h) don't go through Eigen, each with the measured
// reason in its header.
//
// Costs 1 s of compile time a source: headers that other rooms include (views.h, probe.h, evaluate.h) don't include it.
#pragma once

#if !defined(EIGEN_USE_BLAS) || !defined(EIGEN_USE_LAPACKE)
#error "link vise::probes: Eigen without its macros would be other functions of the same names"
#endif

#include <fmt/format.h>

#include <Eigen/Core>
#include <cstddef>
#include <span>
#include <vector>

#include "base/error.h"
#include "probes/views.h"

namespace vise::probes {

template <typename T>
using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Vector = Eigen::VectorXd;
using Row = Eigen::RowVectorXd;

template <typename T>
using ConstView = Eigen::Map<const Matrix<T>, Eigen::Unaligned, Eigen::OuterStride<>>;
template <typename T>
using View = Eigen::Map<Matrix<T>, Eigen::Unaligned, Eigen::OuterStride<>>;
template <typename T>
using ConstRef = Eigen::Ref<const Matrix<T>, Eigen::Unaligned, Eigen::OuterStride<>>;
template <typename T>
using Ref = Eigen::Ref<Matrix<T>, Eigen::Unaligned, Eigen::OuterStride<>>;

// rows x columns values at `values`, rows `stride` apart.
template <typename T>
ConstView<T> view(const T* values, std::size_t rows, std::size_t columns, std::size_t stride) {
  const auto index = [](std::size_t n) { return static_cast<Eigen::Index>(n); };
  return ConstView<T>(values, index(rows), index(columns), Eigen::OuterStride<>(index(stride)));
}
template <typename T>
View<T> view(T* values, std::size_t rows, std::size_t columns, std::size_t stride) {
  const auto index = [](std::size_t n) { return static_cast<Eigen::Index>(n); };
  return View<T>(values, index(rows), index(columns), Eigen::OuterStride<>(index(stride)));
}

// As many rows as `values` has of that many columns, none left over. Error{input} otherwise.
template <typename T>
ConstView<T> view(std::span<const T> values, std::size_t columns) {
  if (columns == 0 || values.size() % columns != 0)
    throw Error(ErrorKind::input, fmt::format("{} values are no rows of {}", values.size(), columns));
  return view(values.data(), values.size() / columns, columns, columns);
}

inline ConstView<double> view(const Scores& scores) {
  return view(scores.values.data(), scores.rows, scores.columns, scores.columns);
}

inline std::span<const double> row_of(const ConstRef<double>& m, std::size_t row) {
  return {m.data() + static_cast<Eigen::Index>(row) * m.outerStride(), static_cast<std::size_t>(m.cols())};
}

// One row of features.
inline Eigen::Map<const Eigen::RowVectorXf> feature_row(const float* row, std::size_t dim) {
  return {row, static_cast<Eigen::Index>(dim)};
}

inline std::vector<double> to_vector(const ConstRef<double>& m) {
  std::vector<double> values(static_cast<std::size_t>(m.size()));
  Eigen::Map<Matrix<double>>(values.data(), m.rows(), m.cols()) = m;
  return values;
}

// The values of a matrix that owns them, or of one row, in memory order.
template <typename M>
std::span<const double> values_of(const M& m) {
  return {m.data(), static_cast<std::size_t>(m.size())};
}

}  // namespace vise::probes
