#include "probes/logistic/narrow_product.h"

#include <gtest/gtest.h>

#include <cmath>
#include <utility>

#include "base/random.h"

namespace vise::probes {
namespace {

class NarrowProduct : public testing::TestWithParam<std::size_t> {};

// The largest difference from plain loops in double. Rows and dimensions leave a remainder of every tile.
template <typename T>
double worst_difference(std::size_t columns) {
  const std::size_t rows = 141, dim = 301, stride = 310, gradient_apart = 305;
  RandomStream random("test/narrow", columns);
  NarrowVector<T> x(rows * stride);
  for (T& v : x) v = static_cast<T>(random.normal());
  NarrowMatrix<T> w(dim, columns), r(rows, columns);
  for (NarrowMatrix<T>* const matrix : {&w, &r}) {
    for (auto row : matrix->view().rowwise()) {
      for (T& v : row) v = static_cast<T>(random.normal());
    }
  }
  NarrowMatrix<double> z(rows, columns);
  z.view().setConstant(7);
  NarrowVector<double> gradient(columns * gradient_apart, 1);
  const ConstView<T> features = view(std::as_const(x).data(), rows, dim, stride);
  narrow_forward(features, std::as_const(w).view(), z.view());
  narrow_backward(features, std::as_const(r).view(), view(gradient.data(), columns, dim, gradient_apart));
  double worst = 0;
  for (std::size_t c = 0; c < columns; ++c) {
    for (std::size_t i = 0; i < rows; ++i) {
      double sum = 7;
      for (std::size_t d = 0; d < dim; ++d)
        sum += static_cast<double>(x[i * stride + d]) * static_cast<double>(w.view()(d, c));
      worst = std::max(worst, std::abs(z.view()(i, c) - sum));
    }
    for (std::size_t d = 0; d < dim; ++d) {
      double sum = 1;
      for (std::size_t i = 0; i < rows; ++i)
        sum += static_cast<double>(x[i * stride + d]) * static_cast<double>(r.view()(i, c));
      worst = std::max(worst, std::abs(gradient[c * gradient_apart + d] - sum));
    }
    for (std::size_t d = dim; d < gradient_apart; ++d)
      worst = std::max(worst, std::abs(gradient[c * gradient_apart + d] - 1));
  }
  return worst;
}

TEST_P(NarrowProduct, EqualsPlainLoopsForEveryWidth) {
  EXPECT_LT(worst_difference<float>(GetParam()), 5e-5);  // some 300 float32 roundings of sums around 17
  EXPECT_LT(worst_difference<double>(GetParam()), 1e-12);
}

INSTANTIATE_TEST_SUITE_P(Widths, NarrowProduct,
                         testing::Values(1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 16, 20, 24, 25, 28, 29, 32, 40, 96, 104));

}  // namespace
}  // namespace vise::probes
