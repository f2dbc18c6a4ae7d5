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

template <int kRows, int kVectors>
VISE_AVX2 inline void clear(__m256 (&sums)[kRows][kVectors]) {
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) sums[i][v] = _mm256_setzero_ps();
  }
}

// Eight float32 sums onto eight doubles.
VISE_AVX2 inline void add_to(double* to, __m256 sums) {
  const __m256d low = _mm256_cvtps_pd(_mm256_castps256_ps128(sums));
  const __m256d high = _mm256_cvtps_pd(_mm256_extractf128_ps(sums, 1));
  _mm256_storeu_pd(to, _mm256_add_pd(_mm256_loadu_pd(to), low));
  _mm256_storeu_pd(to + 4, _mm256_add_pd(_mm256_loadu_pd(to + 4), high));
}

// Twelve sums stay in registers (the loops over them must be unrolled for that): kRows rows (or dimensions) by kVectors
// times eight columns.
template <int kRows, int kVectors>
VISE_AVX2 void forward_tile(const float* x, std::size_t stride, std::size_t dim, const float* w, std::size_t columns,
                            double* z) {
  __m256 sums[kRows][kVectors];
  clear(sums);
  for (std::size_t d = 0; d < dim; ++d) {
    __m256 ws[kVectors];
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) ws[v] = _mm256_loadu_ps(w + d * columns + 8 * static_cast<std::size_t>(v));
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
      const __m256 value = _mm256_broadcast_ss(x + static_cast<std::size_t>(i) * stride + d);
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v) sums[i][v] = _mm256_fmadd_ps(value, ws[v], sums[i][v]);
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v)
      add_to(z + static_cast<std::size_t>(i) * columns + 8 * static_cast<std::size_t>(v), sums[i][v]);
  }
}

template <int kDims, int kVectors>
VISE_AVX2 void backward_tile(const float* x, std::size_t stride, std::size_t rows, const float* residual,
                             std::size_t columns, double* gradient) {
  __m256 sums[kDims][kVectors];
  clear(sums);
  for (std::size_t i = 0; i < rows; ++i) {
    __m256 rs[kVectors];
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v)
      rs[v] = _mm256_loadu_ps(residual + i * columns + 8 * static_cast<std::size_t>(v));
#pragma GCC unroll 16
    for (int d = 0; d < kDims; ++d) {
      const __m256 value = _mm256_broadcast_ss(x + i * stride + static_cast<std::size_t>(d));
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v) sums[d][v] = _mm256_fmadd_ps(value, rs[v], sums[d][v]);
    }
  }
#pragma GCC unroll 16
  for (int d = 0; d < kDims; ++d) {
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) {
      add_to(gradient + static_cast<std::size_t>(d) * columns + 8 * static_cast<std::size_t>(v), sums[d][v]);
    }
  }
}

template <int kRows, int kVectors>
void forward_columns(const float* x, std::size_t stride, std::size_t rows, std::size_t dim, const float* w,
                     std::size_t columns, double* z) {
  for (std::size_t d = 0; d < dim; d += kChunk) {
    const std::size_t length = std::min(kChunk, dim - d);
    const float* const part = w + d * columns;
    std::size_t i = 0;
    for (; i + kRows <= rows; i += kRows)
      forward_tile<kRows, kVectors>(x + i * stride + d, stride, length, part, columns, z + i * columns);
    for (; i < rows; ++i) forward_tile<1, kVectors>(x + i * stride + d, stride, length, part, columns, z + i * columns);
  }
}

template <int kDims, int kVectors>
void backward_columns(const float* x, std::size_t stride, std::size_t rows, std::size_t dim, const float* residual,
                      std::size_t columns, double* gradient) {
  std::size_t d = 0;
  for (; d + kDims <= dim; d += kDims) {
    backward_tile<kDims, kVectors>(x + d, stride, rows, residual, columns, gradient + d * columns);
  }
  for (; d < dim; ++d) backward_tile<1, kVectors>(x + d, stride, rows, residual, columns, gradient + d * columns);
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
  if (columns <= kMostColumns && have_avx2()) {
    for (std::size_t c = 0; c < columns;) {
      const std::size_t left = (columns - c) / 8;
      // Four vectors left are better split in two and two than in three and one.
      const std::size_t take = left == 4 ? 2 : std::min<std::size_t>(left, 3);
      if (take == 3) forward_columns<4, 3>(x, stride, rows, dim, w + c, columns, z + c);
      if (take == 2) forward_columns<6, 2>(x, stride, rows, dim, w + c, columns, z + c);
      if (take == 1) forward_columns<8, 1>(x, stride, rows, dim, w + c, columns, z + c);
      c += 8 * take;
    }
    return;
  }
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
  if (columns <= kMostColumns && have_avx2()) {
    for (std::size_t c = 0; c < columns;) {
      const std::size_t left = (columns - c) / 8;
      const std::size_t take = left == 4 ? 2 : std::min<std::size_t>(left, 3);
      if (take == 3) backward_columns<4, 3>(x, stride, rows, dim, residual + c, columns, gradient + c);
      if (take == 2) backward_columns<6, 2>(x, stride, rows, dim, residual + c, columns, gradient + c);
      if (take == 1) backward_columns<8, 1>(x, stride, rows, dim, residual + c, columns, gradient + c);
      c += 8 * take;
    }
    return;
  }
#endif
  std::vector<float> product(dim * columns);
  cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, as_int(dim), as_int(columns), as_int(rows), 1, x, as_int(stride),
              residual, as_int(columns), 0, product.data(), as_int(columns));
  for (std::size_t i = 0; i < product.size(); ++i) gradient[i] += static_cast<double>(product[i]);
}

void narrow_forward(const double* x, std::size_t stride, std::size_t rows, std::size_t dim, const double* w,
                    std::size_t columns, double* z) {
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, as_int(rows), as_int(columns), as_int(dim), 1, x,
              as_int(stride), w, as_int(columns), 0, z, as_int(columns));
}

void narrow_backward(const double* x, std::size_t stride, std::size_t rows, std::size_t dim, const double* residual,
                     std::size_t columns, double* gradient) {
  cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, as_int(dim), as_int(columns), as_int(rows), 1, x, as_int(stride),
              residual, as_int(columns), 1, gradient, as_int(columns));
}

}  // namespace vise
