// The two matrix products of a linear solver's pass, for few columns. A general matrix product copies the rows into an
// order of its own first, which for some 24 columns takes as long as the product; these read the rows in place.
// Of 48 rows of 2,048 features and 24 columns, one core of a Zen 5: forward 38 us against 56 of Eigen with OpenBLAS
// behind, backward 42 against 70; of 6 columns 15 against 34, and 10 against 30. (Of one column OpenBLAS's product of
// matrix and vector is faster forward, 4 us against 15; it sums in float32 throughout.)
//
// With AVX2 and FMA where the processor has them, else by OpenBLAS. One thread; for a given processor and shape the
// result is always the same. Any addresses will do, but in a NarrowVector no register's worth of a row crosses two
// cache lines, which takes a tenth off the time.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

#include "probes/matrix.h"

namespace vise::probes {

// Memory that begins with a cache line.
template <typename T>
struct LineAllocator {
  using value_type = T;
  static constexpr std::align_val_t kLine{64};
  LineAllocator() = default;
  template <typename U>
  LineAllocator(const LineAllocator<U>&) {}
  T* allocate(std::size_t n) { return static_cast<T*>(::operator new(n * sizeof(T), kLine)); }
  void deallocate(T* p, std::size_t) { ::operator delete(p, kLine); }
  bool operator==(const LineAllocator&) const { return true; }
};

template <typename T>
using NarrowVector = std::vector<T, LineAllocator<T>>;

// The distance between rows of `columns` columns: no register's worth of one crosses two cache lines.
inline constexpr std::size_t narrow_stride(std::size_t columns) { return (columns + 7) / 8 * 8; }

// A matrix for these products: rows narrow_stride(columns) apart, with zeros between.
template <typename T>
class NarrowMatrix {
 public:
  NarrowMatrix() = default;
  NarrowMatrix(std::size_t rows, std::size_t columns) { set_zero(rows, columns); }
  void set_zero(std::size_t rows, std::size_t columns) {
    rows_ = rows;
    columns_ = columns;
    values_.assign(rows * narrow_stride(columns), 0);
  }
  void set_zero() { values_.assign(values_.size(), 0); }

  View<T> view() { return view(0, rows_); }
  ConstView<T> view() const { return view(0, rows_); }
  // `count` rows from `begin` on.
  View<T> view(std::size_t begin, std::size_t count) { return probes::view(at(begin), count, columns_, stride()); }
  ConstView<T> view(std::size_t begin, std::size_t count) const {
    return probes::view(at(begin), count, columns_, stride());
  }

 private:
  std::size_t stride() const { return narrow_stride(columns_); }
  T* at(std::size_t row) { return values_.data() + row * stride(); }
  const T* at(std::size_t row) const { return values_.data() + row * stride(); }

  std::size_t rows_ = 0, columns_ = 0;
  NarrowVector<T> values_;
};

// z (rows x columns) += x (rows x dim) w (dim x columns); w and z are (rows of) NarrowMatrix. float32 sums run over
// short stretches of the dimensions, which are added in double.
void narrow_forward(const ConstView<float>& x, const ConstView<float>& w, View<double> z);
void narrow_forward(const ConstView<double>& x, const ConstView<double>& w, View<double> z);

// gradient (columns x dim) += residual' (columns x rows) x (rows x dim); the residual is (rows of) a NarrowMatrix.
// float32 sums run over at most 128 rows.
void narrow_backward(const ConstView<float>& x, const ConstView<float>& residual, View<double> gradient);
void narrow_backward(const ConstView<double>& x, const ConstView<double>& residual, View<double> gradient);

}  // namespace vise::probes
