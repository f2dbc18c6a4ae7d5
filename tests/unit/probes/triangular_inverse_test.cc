#include "probes/logistic/triangular_inverse.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/random.h"

namespace vise::probes {
namespace {

// Lower triangular, its diagonal between 1 and 2.
std::vector<double> drawn_factor(std::size_t n) {
  RandomStream random("test/triangular", n);
  std::vector<double> l(n * n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < i; ++j) l[i * n + j] = random.normal() / (2 * std::sqrt(static_cast<double>(n)));
    l[i * n + i] = 1 + random.uniform();
  }
  return l;
}

Matrix<float> squared(const std::vector<double>& l, std::size_t n) {
  Matrix<float> a = Matrix<float>::Zero(n, n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      double sum = 0;
      for (std::size_t k = 0; k <= j; ++k) sum += l[i * n + k] * l[j * n + k];
      a(i, j) = static_cast<float>(sum);
    }
  }
  return a;
}

// The factor is known, and the inverse times it must be one. Sizes below, at and beyond one tile and several.
TEST(TriangularInverse, TimesTheFactorIsOneForEverySizeAndThreads) {
  for (const std::size_t n : {1, 7, 192, 193, 500}) {
    const std::vector<double> l = drawn_factor(n);
    Matrix<float> inverse = squared(l, n), other = inverse;
    ASSERT_TRUE(invert_cholesky_factor(inverse, 1));
    ASSERT_TRUE(invert_cholesky_factor(other, 3));
    EXPECT_EQ(inverse, other);
    double worst = 0;
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        double sum = i == j ? -1 : 0;
        for (std::size_t k = j; k < n; ++k) sum += static_cast<double>(inverse(i, k)) * l[k * n + j];
        worst = std::max(worst, std::abs(sum));
      }
    }
    EXPECT_LT(worst, 2e-5) << n;  // some 500 float32 roundings
  }
}

TEST(TriangularInverse, SaysWhereAPivotIsNotPositive) {
  Matrix<float> a = squared(drawn_factor(300), 300);
  a(250, 250) = -1;
  EXPECT_FALSE(invert_cholesky_factor(a, 2));
}

}  // namespace
}  // namespace vise::probes
