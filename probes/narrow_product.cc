#include "probes/narrow_product.h"

#include <cblas.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <algorithm>
#include <vector>

namespace vise {
namespace {

// Dimensions a float32 sum runs over before it is added in double. Sums over all 2,048 left logits of 20 off by 1e-5,
// which kept half the problems with separable classes from their stop.
constexpr std::size_t kChunk = 128;
constexpr std::size_t kWideChunk = 512;  // the same for OpenBLAS, which sums in several registers

int as_int(std::size_t n) { return static_cast<int>(n); }

#if defined(__x86_64__)

#define VISE_AVX2 __attribute__((target("avx2,fma")))

// One register of the tiles below. Sums are handed on in double.
struct Floats {
  using Value = float;
  using Vector = __m256;
  static constexpr std::size_t kLanes = 8;
  VISE_AVX2 static Vector zero() { return _mm256_setzero_ps(); }
  VISE_AVX2 static Vector load(const float* from) { return _mm256_loadu_ps(from); }
  VISE_AVX2 static Vector broadcast(const float* from) { return _mm256_broadcast_ss(from); }
  VISE_AVX2 static Vector add_product(Vector a, Vector b, Vector to) { return _mm256_fmadd_ps(a, b, to); }
  VISE_AVX2 static void add_to(double* to, Vector sums) {
    const __m256d low = _mm256_cvtps_pd(_mm256_castps256_ps128(sums));
    const __m256d high = _mm256_cvtps_pd(_mm256_extractf128_ps(sums, 1));
    _mm256_storeu_pd(to, _mm256_add_pd(_mm256_loadu_pd(to), low));
    _mm256_storeu_pd(to + 4, _mm256_add_pd(_mm256_loadu_pd(to + 4), high));
  }
};

struct Doubles {
  using Value = double;
  using Vector = __m256d;
  static constexpr std::size_t kLanes = 4;
  VISE_AVX2 static Vector zero() { return _mm256_setzero_pd(); }
  VISE_AVX2 static Vector load(const double* from) { return _mm256_loadu_pd(from); }
  VISE_AVX2 static Vector broadcast(const double* from) { return _mm256_broadcast_sd(from); }
  VISE_AVX2 static Vector add_product(Vector a, Vector b, Vector to) { return _mm256_fmadd_pd(a, b, to); }
  VISE_AVX2 static void add_to(double* to, Vector sums) {
    _mm256_storeu_pd(to, _mm256_add_pd(_mm256_loadu_pd(to), sums));
  }
};

// sums (kRows x kVectors registers) of x[i * row_step + l * step] * w[l * columns + c] over l < length, added to
// out (kRows x columns). Twelve sums stay in registers (the loops over them must be unrolled for that).
template <typename Lanes, int kRows, int kVectors>
VISE_AVX2 void tile(const typename Lanes::Value* x, std::size_t row_step, std::size_t step, std::size_t length,
                    const typename Lanes::Value* w, std::size_t columns, double* out) {
  using Vector = typename Lanes::Vector;
  Vector sums[kRows][kVectors];
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) sums[i][v] = Lanes::zero();
  }
  for (std::size_t l = 0; l < length; ++l) {
    Vector ws[kVectors];
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v)
      ws[v] = Lanes::load(w + l * columns + Lanes::kLanes * static_cast<std::size_t>(v));
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
      const Vector value = Lanes::broadcast(x + static_cast<std::size_t>(i) * row_step + l * step);
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v) sums[i][v] = Lanes::add_product(value, ws[v], sums[i][v]);
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v)
      Lanes::add_to(out + static_cast<std::size_t>(i) * columns + Lanes::kLanes * static_cast<std::size_t>(v),
                    sums[i][v]);
  }
}

// The same for any number of rows.
template <typename Lanes, int kRows, int kVectors>
void tiles(const typename Lanes::Value* x, std::size_t row_step, std::size_t step, std::size_t rows, std::size_t length,
           const typename Lanes::Value* w, std::size_t columns, double* out) {
  std::size_t i = 0;
  for (; i + kRows <= rows; i += kRows)
    tile<Lanes, kRows, kVectors>(x + i * row_step, row_step, step, length, w, columns, out + i * columns);
  for (; i < rows; ++i)
    tile<Lanes, 1, kVectors>(x + i * row_step, row_step, step, length, w, columns, out + i * columns);
}

// ... and any number of columns.
template <typename Lanes>
void add_products(const typename Lanes::Value* x, std::size_t row_step, std::size_t step, std::size_t rows,
                  std::size_t length, const typename Lanes::Value* w, std::size_t columns, double* out) {
  for (std::size_t c = 0; c < columns;) {
    const std::size_t left = (columns - c) / Lanes::kLanes;
    // Four vectors left are better split in two and two than in three and one.
    const std::size_t take = left == 4 ? 2 : std::min<std::size_t>(left, 3);
    if (take == 3) tiles<Lanes, 4, 3>(x, row_step, step, rows, length, w + c, columns, out + c);
    if (take == 2) tiles<Lanes, 6, 2>(x, row_step, step, rows, length, w + c, columns, out + c);
    if (take == 1) tiles<Lanes, 8, 1>(x, row_step, step, rows, length, w + c, columns, out + c);
    c += Lanes::kLanes * take;
  }
}

template <typename Lanes>
void forward(const typename Lanes::Value* x, std::size_t stride, std::size_t rows, std::size_t dim,
             const typename Lanes::Value* w, std::size_t columns, double* z) {
  constexpr std::size_t kLine = 64 / sizeof(typename Lanes::Value);
  for (std::size_t d = 0; d < dim; d += kChunk) {
    const std::size_t length = std::min(kChunk, dim - d);
    for (std::size_t i = rows; i < 2 * rows; ++i) {
      for (std::size_t l = 0; l < length; l += kLine) __builtin_prefetch(x + i * stride + d + l, 0, 2);
    }
    add_products<Lanes>(x + d, stride, 1, rows, length, w + d * columns, columns, z);
  }
}

template <typename Lanes>
void backward(const typename Lanes::Value* x, std::size_t stride, std::size_t rows, std::size_t dim,
              const typename Lanes::Value* residual, std::size_t columns, double* gradient) {
  for (std::size_t i = 0; i < rows; i += kChunk)
    add_products<Lanes>(x + i * stride, 1, stride, dim, std::min(kChunk, rows - i), residual + i * columns, columns,
                        gradient);
}

bool have_avx2() {
  static const bool have = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  return have;
}

// More columns than this are better served by a product that reorders the rows.
constexpr std::size_t kMostColumns = 96;

#endif

}  // namespace

void narrow_forward(const float* x, std::size_t stride, std::size_t rows, std::size_t dim, const float* w,
                    std::size_t columns, double* z) {
  std::fill(z, z + rows * columns, 0.0);
#if defined(__x86_64__)
  if (columns <= kMostColumns && have_avx2()) return forward<Floats>(x, stride, rows, dim, w, columns, z);
#endif
  std::vector<float> product(rows * columns);
  for (std::size_t d = 0; d < dim; d += kWideChunk) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, as_int(rows), as_int(columns),
                as_int(std::min(kWideChunk, dim - d)), 1, x + d, as_int(stride), w + d * columns, as_int(columns), 0,
                product.data(), as_int(columns));
    for (std::size_t i = 0; i < product.size(); ++i) z[i] += static_cast<double>(product[i]);
  }
}

void narrow_backward(const float* x, std::size_t stride, std::size_t rows, std::size_t dim, const float* residual,
                     std::size_t columns, double* gradient) {
#if defined(__x86_64__)
  if (columns <= kMostColumns && have_avx2())
    return backward<Floats>(x, stride, rows, dim, residual, columns, gradient);
#endif
  std::vector<float> product(dim * columns);
  cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, as_int(dim), as_int(columns), as_int(rows), 1, x, as_int(stride),
              residual, as_int(columns), 0, product.data(), as_int(columns));
  for (std::size_t i = 0; i < product.size(); ++i) gradient[i] += static_cast<double>(product[i]);
}

void narrow_forward(const double* x, std::size_t stride, std::size_t rows, std::size_t dim, const double* w,
                    std::size_t columns, double* z) {
#if defined(__x86_64__)
  if (columns <= kMostColumns && have_avx2()) {
    std::fill(z, z + rows * columns, 0.0);
    return forward<Doubles>(x, stride, rows, dim, w, columns, z);
  }
#endif
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, as_int(rows), as_int(columns), as_int(dim), 1, x,
              as_int(stride), w, as_int(columns), 0, z, as_int(columns));
}

void narrow_backward(const double* x, std::size_t stride, std::size_t rows, std::size_t dim, const double* residual,
                     std::size_t columns, double* gradient) {
#if defined(__x86_64__)
  if (columns <= kMostColumns && have_avx2())
    return backward<Doubles>(x, stride, rows, dim, residual, columns, gradient);
#endif
  cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, as_int(dim), as_int(columns), as_int(rows), 1, x, as_int(stride),
              residual, as_int(columns), 1, gradient, as_int(columns));
}

}  // namespace vise
