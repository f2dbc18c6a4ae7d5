#include "probes/logistic/narrow_product.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <algorithm>

namespace vise::probes {
namespace {

// The way down: narrow_forward() and narrow_backward() choose between AVX2 and OpenBLAS; forward() and backward() cut
// the matrices into tiles; the tiles keep their sums in registers.

// Dimensions or rows a float32 sum runs over before it is added in double. Sums over all 2,048 left logits of 20 off by
// 1e-5, which kept half the problems with separable classes from their stop.
constexpr std::size_t kChunk = 128;
constexpr Eigen::Index kWideChunk = 512;  // the same for OpenBLAS, which sums in several registers

#if defined(__x86_64__)

// The functions are compiled for AVX2 whatever the rest of the program is compiled for, and called only where
// have_avx2().
#define VISE_AVX2 __attribute__((target("avx2,fma")))

// One register of the tiles below, kLanes values; `pair` makes one of the halves of two. Sums are handed on in double.
struct Floats {
  using Value = float;
  using Vector = __m256;
  static constexpr std::size_t kLanes = 8;
  VISE_AVX2 static Vector zero() { return _mm256_setzero_ps(); }
  VISE_AVX2 static Vector load(const float* from) { return _mm256_loadu_ps(from); }
  VISE_AVX2 static Vector load_first(const float* from, std::size_t n) {
    // A masked load reads nothing behind the n-th value: the row may be the last one of a mapped file.
    const __m256i places = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_maskload_ps(from, _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), places));
  }
  VISE_AVX2 static Vector load_twice(const float* from) {
    return _mm256_broadcast_ps(reinterpret_cast<const __m128*>(from));
  }
  VISE_AVX2 static Vector broadcast(const float* from) { return _mm256_broadcast_ss(from); }
  VISE_AVX2 static Vector pair(Vector first, Vector second) { return _mm256_blend_ps(first, second, 0xf0); }
  VISE_AVX2 static Vector add_product(Vector a, Vector b, Vector to) { return _mm256_fmadd_ps(a, b, to); }
  VISE_AVX2 static void store(float* to, Vector v) { _mm256_storeu_ps(to, v); }
  VISE_AVX2 static void add_to(double* to, Vector sums) { add_halves_to(to, to + 4, sums); }
  VISE_AVX2 static void add_halves_to(double* first, double* second, Vector sums) {
    const __m256d low = _mm256_cvtps_pd(_mm256_castps256_ps128(sums));
    const __m256d high = _mm256_cvtps_pd(_mm256_extractf128_ps(sums, 1));
    _mm256_storeu_pd(first, _mm256_add_pd(_mm256_loadu_pd(first), low));
    _mm256_storeu_pd(second, _mm256_add_pd(_mm256_loadu_pd(second), high));
  }
  VISE_AVX2 static void add_half_to(double* to, Vector sums) {
    const __m256d low = _mm256_cvtps_pd(_mm256_castps256_ps128(sums));
    _mm256_storeu_pd(to, _mm256_add_pd(_mm256_loadu_pd(to), low));
  }
};

// Four values a register. Sums are in double already, so nothing is widened.
struct Doubles {
  using Value = double;
  using Vector = __m256d;
  static constexpr std::size_t kLanes = 4;
  VISE_AVX2 static Vector zero() { return _mm256_setzero_pd(); }
  VISE_AVX2 static Vector load(const double* from) { return _mm256_loadu_pd(from); }
  VISE_AVX2 static Vector load_first(const double* from, std::size_t n) {
    const __m256i places = _mm256_setr_epi64x(0, 1, 2, 3);
    return _mm256_maskload_pd(from, _mm256_cmpgt_epi64(_mm256_set1_epi64x(static_cast<long long>(n)), places));
  }
  VISE_AVX2 static Vector broadcast(const double* from) { return _mm256_broadcast_sd(from); }
  VISE_AVX2 static Vector add_product(Vector a, Vector b, Vector to) { return _mm256_fmadd_pd(a, b, to); }
  VISE_AVX2 static void store(double* to, Vector v) { _mm256_storeu_pd(to, v); }
  VISE_AVX2 static void add_to(double* to, Vector sums) {
    _mm256_storeu_pd(to, _mm256_add_pd(_mm256_loadu_pd(to), sums));
  }
};

// Forward: z (kRows x kVectors vectors of columns, with kHalf the half of one more) += x w over `length` dimensions.
// The sums, twelve at most, stay in registers (the loops over them must be unrolled for that). Two rows share a
// register of halves; every sum takes the same products in the same order whichever its row is. What comes `ahead`
// of the rows is fetched.
template <typename Lanes, int kRows, int kVectors, bool kHalf>
VISE_AVX2 void forward_tile(const typename Lanes::Value* x, std::size_t stride, std::size_t ahead, std::size_t length,
                            const typename Lanes::Value* w, std::size_t apart, double* z) {
  using Vector = typename Lanes::Vector;
  constexpr std::size_t kLine = 64 / sizeof(typename Lanes::Value);
  constexpr int kPairs = kHalf ? (kRows + 1) / 2 : 0;
  constexpr auto kOffset = Lanes::kLanes * static_cast<std::size_t>(kVectors);  // of the half vector
  Vector sums[kRows][kVectors > 0 ? kVectors : 1], halves[kPairs > 0 ? kPairs : 1];
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) sums[i][v] = Lanes::zero();
  }
#pragma GCC unroll 16
  for (int i = 0; i < kPairs; ++i) halves[i] = Lanes::zero();
  for (std::size_t l = 0; l < length; ++l) {
    Vector ws[kVectors > 0 ? kVectors : 1], half, before;
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) ws[v] = Lanes::load(w + l * apart + Lanes::kLanes * static_cast<std::size_t>(v));
    if constexpr (kHalf) half = Lanes::load_twice(w + l * apart + kOffset);
    if (l % kLine == 0) {
#pragma GCC unroll 16
      for (int i = 0; i < kRows; ++i) __builtin_prefetch(x + static_cast<std::size_t>(i) * stride + l + ahead, 0, 2);
    }
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
      const Vector value = Lanes::broadcast(x + static_cast<std::size_t>(i) * stride + l);
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v) sums[i][v] = Lanes::add_product(value, ws[v], sums[i][v]);
      if constexpr (kHalf) {
        if (i % 2 == 1) {
          halves[i / 2] = Lanes::add_product(Lanes::pair(before, value), half, halves[i / 2]);
        } else if (i + 1 == kRows) {
          halves[i / 2] = Lanes::add_product(value, half, halves[i / 2]);
        }
        before = value;
      }
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
    double* const row = z + static_cast<std::size_t>(i) * apart;
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) Lanes::add_to(row + Lanes::kLanes * static_cast<std::size_t>(v), sums[i][v]);
    if constexpr (kHalf) {
      if (i % 2 == 1) {
        Lanes::add_halves_to(row - apart + kOffset, row + kOffset, halves[i / 2]);
      } else if (i + 1 == kRows) {
        Lanes::add_half_to(row + kOffset, halves[i / 2]);
      }
    }
  }
}

// The same for any number of rows.
template <typename Lanes, int kRows, int kVectors, bool kHalf = false>
void forward_rows(const typename Lanes::Value* x, std::size_t stride, std::size_t ahead, std::size_t rows,
                  std::size_t length, const typename Lanes::Value* w, std::size_t apart, double* z) {
  std::size_t i = 0;
  for (; i + kRows <= rows; i += kRows)
    forward_tile<Lanes, kRows, kVectors, kHalf>(x + i * stride, stride, ahead, length, w, apart, z + i * apart);
  for (; i < rows; ++i)
    forward_tile<Lanes, 1, kVectors, kHalf>(x + i * stride, stride, ahead, length, w, apart, z + i * apart);
}

// ... and any number of columns.
template <typename Lanes>
void forward(const ConstView<typename Lanes::Value>& xs, const ConstView<typename Lanes::Value>& ws, View<double>& zs) {
  const auto stride = static_cast<std::size_t>(xs.outerStride()), rows = static_cast<std::size_t>(xs.rows()),
             dim = static_cast<std::size_t>(xs.cols()), columns = static_cast<std::size_t>(ws.cols());
  const typename Lanes::Value *const x = xs.data(), *const w = ws.data();
  double* const z = zs.data();
  // Half vectors exist for floats alone: four doubles are a whole register.
  constexpr bool kHalves = Lanes::kLanes == 8;
  constexpr std::size_t kUnit = kHalves ? 4 : 2;  // half a vector
  const std::size_t apart = narrow_stride(columns);
  for (std::size_t d = 0; d < dim; d += kChunk) {
    // Rows are read a chunk of dimensions at a time; what is fetched ahead is the next chunk of the
    // same rows or, in the last, the first one of the rows that follow.
    const std::size_t length = std::min(kChunk, dim - d), ahead = d + kChunk < dim ? kChunk : rows * stride - d;
    for (std::size_t c = 0; c < columns;) {
      std::size_t left = (columns - c + kUnit - 1) / kUnit;
      if (!kHalves) left += left % 2;
      // Seven or eight are better split in the middle than in six and what is left.
      const std::size_t take = left == 7 || left == 8 ? 4 : std::min<std::size_t>(left, 6);
      const auto run = [&](auto tiles) { tiles(x + d, stride, ahead, rows, length, w + d * apart + c, apart, z + c); };
      // Rows x vectors of each tile leave room for the weights' vectors and a broadcast value
      // among 16 registers: 4 x 3, 6 x 2, 8 x 1.
      if (take == 6) run(forward_rows<Lanes, 4, 3>);
      if (take == 4) run(forward_rows<Lanes, 6, 2>);
      if (take == 2) run(forward_rows<Lanes, 8, 1>);
      if constexpr (kHalves) {
        if (take == 5) run(forward_rows<Lanes, 4, 2, true>);
        if (take == 3) run(forward_rows<Lanes, 6, 1, true>);
        if (take == 1) run(forward_rows<Lanes, 8, 0, true>);
      }
      c += take * kUnit;
    }
  }
}

// Backward: gradient (kColumns x kVectors vectors of dimensions) += residual' x over `rows` rows. With kPart the last
// vector has but `part` dimensions.
template <typename Lanes, int kVectors, int kColumns, bool kPart = false>
VISE_AVX2 void backward_tile(const typename Lanes::Value* x, std::size_t stride, std::size_t rows,
                             const typename Lanes::Value* residual, std::size_t apart, double* gradient,
                             std::size_t gradient_apart, std::size_t part = 0) {
  using Vector = typename Lanes::Vector;
  Vector sums[kColumns][kVectors];
#pragma GCC unroll 16
  for (int c = 0; c < kColumns; ++c) {
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) sums[c][v] = Lanes::zero();
  }
  for (std::size_t i = 0; i < rows; ++i) {
    Vector xs[kVectors];
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) {
      const typename Lanes::Value* const from = x + i * stride + Lanes::kLanes * static_cast<std::size_t>(v);
      if constexpr (kPart) {
        xs[v] = Lanes::load_first(from, part);
      } else {
        xs[v] = Lanes::load(from);
      }
    }
#pragma GCC unroll 16
    for (int c = 0; c < kColumns; ++c) {
      const Vector value = Lanes::broadcast(residual + i * apart + static_cast<std::size_t>(c));
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v) sums[c][v] = Lanes::add_product(xs[v], value, sums[c][v]);
    }
  }
#pragma GCC unroll 16
  for (int c = 0; c < kColumns; ++c) {
    double* const row = gradient + static_cast<std::size_t>(c) * gradient_apart;
    if constexpr (kPart) {
      typename Lanes::Value values[Lanes::kLanes];
      Lanes::store(values, sums[c][0]);
      for (std::size_t l = 0; l < part; ++l) row[l] += static_cast<double>(values[l]);
    } else {
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v) Lanes::add_to(row + Lanes::kLanes * static_cast<std::size_t>(v), sums[c][v]);
    }
  }
}

// The same for any number of dimensions.
template <typename Lanes, int kVectors, int kColumns>
void backward_dims(const typename Lanes::Value* x, std::size_t stride, std::size_t rows, std::size_t dim,
                   const typename Lanes::Value* residual, std::size_t apart, double* gradient,
                   std::size_t gradient_apart) {
  constexpr std::size_t kWidth = Lanes::kLanes * static_cast<std::size_t>(kVectors);
  std::size_t d = 0;
  for (; d + kWidth <= dim; d += kWidth)
    backward_tile<Lanes, kVectors, kColumns>(x + d, stride, rows, residual, apart, gradient + d, gradient_apart);
  for (; d + Lanes::kLanes <= dim; d += Lanes::kLanes)
    backward_tile<Lanes, 1, kColumns>(x + d, stride, rows, residual, apart, gradient + d, gradient_apart);
  if (d < dim)
    backward_tile<Lanes, 1, kColumns, true>(x + d, stride, rows, residual, apart, gradient + d, gradient_apart,
                                            dim - d);
}

// ... and any number of columns. The last dimensions come first: the forward product left those in the second cache.
template <typename Lanes>
void backward(const ConstView<typename Lanes::Value>& xs, const ConstView<typename Lanes::Value>& residuals,
              View<double>& gradients) {
  const auto stride = static_cast<std::size_t>(xs.outerStride()), rows = static_cast<std::size_t>(xs.rows()),
             dim = static_cast<std::size_t>(xs.cols()), columns = static_cast<std::size_t>(residuals.cols()),
             apart = static_cast<std::size_t>(gradients.outerStride());
  const typename Lanes::Value *const x = xs.data(), *const residual = residuals.data();
  double* const gradient = gradients.data();
  // Six vectors of dimensions at a time, all columns: the group's part of the gradient stays in
  // registers and first-level cache while the rows pass.
  constexpr std::size_t kGroup = 6 * Lanes::kLanes;
  const std::size_t between = narrow_stride(columns);
  for (std::size_t begin = 0; begin < rows; begin += kChunk) {
    const std::size_t count = std::min(kChunk, rows - begin);
    for (std::size_t group = (dim + kGroup - 1) / kGroup; group-- > 0;) {
      const std::size_t d = group * kGroup;
      const typename Lanes::Value* const at = x + begin * stride + d;
      for (std::size_t c = 0; c < columns;) {
        const std::size_t left = columns - c, take = left < 7 ? left : 4;
        const auto run = [&](auto tiles) {
          tiles(at, stride, count, std::min(kGroup, dim - d), residual + begin * between + c, between,
                gradient + c * apart + d, apart);
        };
        // Here the sums are columns x vectors of dimensions: 6 x 2, 5 x 2, 4 x 3, 3 x
        // 4, 2 x 6, twelve at most.
        if (take == 6) run(backward_dims<Lanes, 2, 6>);
        if (take == 5) run(backward_dims<Lanes, 2, 5>);
        if (take == 4) run(backward_dims<Lanes, 3, 4>);
        if (take == 3) run(backward_dims<Lanes, 4, 3>);
        if (take == 2) run(backward_dims<Lanes, 6, 2>);
        if (take == 1) run(backward_dims<Lanes, 6, 1>);
        c += take;
      }
    }
  }
}

// Asked once; x86-64 alone promises no more than SSE2.
bool have_avx2() {
  static const bool have = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  return have;
}

// More columns than this are better served by a product that reorders the rows.
bool narrow(const auto& m) { return m.cols() <= 96; }

#endif

}  // namespace

void narrow_forward(const ConstView<float>& x, const ConstView<float>& w, View<double> z) {
#if defined(__x86_64__)
  if (narrow(w) && have_avx2()) return forward<Floats>(x, w, z);
#endif
  // Without AVX2, or for many columns: stretches of dimensions by OpenBLAS, whose float32 sums are added in double.
  for (Eigen::Index d = 0; d < x.cols(); d += kWideChunk) {
    const Eigen::Index length = std::min(kWideChunk, x.cols() - d);
    z += (x.middleCols(d, length) * w.middleRows(d, length)).cast<double>();
  }
}

void narrow_forward(const ConstView<double>& x, const ConstView<double>& w, View<double> z) {
#if defined(__x86_64__)
  if (narrow(w) && have_avx2()) return forward<Doubles>(x, w, z);
#endif
  z.noalias() += x * w;
}

void narrow_backward(const ConstView<float>& x, const ConstView<float>& residual, View<double> gradient) {
#if defined(__x86_64__)
  if (narrow(residual) && have_avx2()) return backward<Floats>(x, residual, gradient);
#endif
  gradient += (residual.transpose() * x).cast<double>();
}

void narrow_backward(const ConstView<double>& x, const ConstView<double>& residual, View<double> gradient) {
#if defined(__x86_64__)
  if (narrow(residual) && have_avx2()) return backward<Doubles>(x, residual, gradient);
#endif
  gradient.noalias() += residual.transpose() * x;
}

}  // namespace vise::probes
