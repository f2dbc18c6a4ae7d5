#include "probes/logistic/vector_math.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#ifdef VISE_LIBMVEC
#include <immintrin.h>
// The names of glibc's x86_64 vector ABI: four doubles, AVX2.
extern "C" __m256d _ZGVdN4v_exp(__m256d);
extern "C" __m256d _ZGVdN4v_log1p(__m256d);
#endif

namespace vise::probes {
namespace {

#ifdef VISE_LIBMVEC
// As narrow_product.cc asks: once, since every pass calls these.
bool have_avx2() {
  static const bool have = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  return have;
}

template <__m256d (*function)(__m256d)>
__attribute__((target("avx2,fma"))) void by_fours(std::span<double> values) {
  const std::size_t whole = values.size() / 4 * 4;
  for (std::size_t i = 0; i < whole; i += 4) _mm256_storeu_pd(&values[i], function(_mm256_loadu_pd(&values[i])));
  std::array<double, 4> rest{};
  if (whole == values.size()) return;
  // The rest goes through the same vector function, padded with zeros, so that a value's
  // exponential doesn't depend on its place.
  std::copy(values.begin() + static_cast<std::ptrdiff_t>(whole), values.end(), rest.begin());
  _mm256_storeu_pd(rest.data(), function(_mm256_loadu_pd(rest.data())));
  std::copy(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(values.size() - whole),
            values.begin() + static_cast<std::ptrdiff_t>(whole));
}
#endif

}  // namespace

void exp_in_place(std::span<double> values) {
#ifdef VISE_LIBMVEC
  if (have_avx2()) return by_fours<_ZGVdN4v_exp>(values);
#endif
  for (double& v : values) v = std::exp(v);
}

void log1p_in_place(std::span<double> values) {
#ifdef VISE_LIBMVEC
  if (have_avx2()) return by_fours<_ZGVdN4v_log1p>(values);
#endif
  for (double& v : values) v = std::log1p(v);
}

}  // namespace vise::probes
