#include "probes/narrow_product.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/random.h"

namespace vise {
namespace {

class NarrowProduct : public testing::TestWithParam<std::size_t> {};

// Against plain loops in double. Rows, dimensions and columns leave a remainder of every tile.
TEST_P(NarrowProduct, EqualsPlainLoopsForEveryWidth) {
  const std::size_t columns = GetParam(), rows = 13, dim = 301, stride = 310;
  RandomStream random("test/narrow", columns);
  std::vector<float> x(rows * stride), w(dim * columns), r(rows * columns);
  for (auto* const values : {&x, &w, &r}) {
    for (float& v : *values) v = static_cast<float>(random.normal());
  }
  std::vector<double> z(rows * columns, 7), gradient(dim * columns, 1);
  narrow_forward(x.data(), stride, rows, dim, w.data(), columns, z.data());
  narrow_backward(x.data(), stride, rows, dim, r.data(), columns, gradient.data());
  double worst = 0;
  for (std::size_t c = 0; c < columns; ++c) {
    for (std::size_t i = 0; i < rows; ++i) {
      double sum = 0;
      for (std::size_t d = 0; d < dim; ++d)
        sum += static_cast<double>(x[i * stride + d]) * static_cast<double>(w[d * columns + c]);
      worst = std::max(worst, std::abs(z[i * columns + c] - sum));
    }
    for (std::size_t d = 0; d < dim; ++d) {
      double sum = 1;
      for (std::size_t i = 0; i < rows; ++i)
        sum += static_cast<double>(x[i * stride + d]) * static_cast<double>(r[i * columns + c]);
      worst = std::max(worst, std::abs(gradient[d * columns + c] - sum));
    }
  }
  EXPECT_LT(worst, 5e-5);  // some 300 float32 roundings of sums around 17
}

INSTANTIATE_TEST_SUITE_P(Widths, NarrowProduct, testing::Values(8, 16, 24, 32, 40, 96, 104));

}  // namespace
}  // namespace vise
