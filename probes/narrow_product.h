// The two matrix products of a linear solver's pass, for few columns. A general matrix product copies the rows into an
// order of its own first, which for some 24 columns takes as long as the product; these read the rows as they lie.
//
// With AVX2 and FMA where the processor has them, else by OpenBLAS. One thread; for a given processor and shape the
// result is always the same. Any addresses will do, but in a NarrowVector no register's worth of a row lies across two
// cache lines, which takes a tenth off the time.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace vise {

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

// How far apart rows of `columns` columns lie: no register's worth of one lies across two cache lines.
inline constexpr std::size_t narrow_stride(std::size_t columns) { return (columns + 7) / 8 * 8; }

// z (rows x columns, double) += x (rows x dim) w (dim x columns), all row-major; rows of x are `stride` apart, those of
// w and z narrow_stride(columns), with zeros between. float32 sums run over short stretches of the dimensions, which
// are added in double.
void narrow_forward(const float* x, std::size_t stride, std::size_t rows, std::size_t dim, const float* w,
                    std::size_t columns, double* z);
void narrow_forward(const double* x, std::size_t stride, std::size_t rows, std::size_t dim, const double* w,
                    std::size_t columns, double* z);

// gradient (columns x dim, double, rows `apart`) += residual' (columns x rows) x (rows x dim); rows of the residual are
// narrow_stride(columns) apart. float32 sums run over at most 128 rows.
void narrow_backward(const float* x, std::size_t stride, std::size_t rows, std::size_t dim, const float* residual,
                     std::size_t columns, double* gradient, std::size_t apart);
void narrow_backward(const double* x, std::size_t stride, std::size_t rows, std::size_t dim, const double* residual,
                     std::size_t columns, double* gradient, std::size_t apart);

}  // namespace vise
