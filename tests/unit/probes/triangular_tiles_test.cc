#include "probes/logistic/triangular_tiles.h"

#include <gtest/gtest.h>

#include <cmath>
#include <utility>

#include "base/random.h"

namespace vise::probes {
namespace {

// Against plain loops in double; sizes below, at and beyond one tile.
TEST(TriangularTiles, MultiplyAsTheMatrixDoes) {
  const std::size_t columns = 5;
  for (const std::size_t n : {1, 127, 128, 129, 300}) {
    RandomStream random("test/triangular-tiles", n);
    Matrix<float> a = Matrix<float>::Zero(n, n);
    NarrowMatrix<float> g(n, columns);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j <= i; ++j) a(i, j) = static_cast<float>(random.normal());
      for (std::size_t c = 0; c < columns; ++c) g.view()(i, c) = static_cast<float>(random.normal());
    }
    const TriangularTiles tiles(a, 2);
    double worst = 0;
    for (std::size_t t = 0; t < tiles.tiles(); ++t) {
      const std::size_t begin = tiles.begin(t), count = tiles.count(t);
      NarrowMatrix<double> z(count, columns), u(columns, count);
      tiles.times(t, std::as_const(g).view(), z.view());
      tiles.transposed_times(t, std::as_const(g).view(), u.view());
      for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t c = 0; c < columns; ++c) {
          double forward = 0, backward = 0;
          for (std::size_t j = 0; j < n; ++j) {
            forward += static_cast<double>(a(begin + i, j)) * static_cast<double>(g.view()(j, c));
            backward += static_cast<double>(a(j, begin + i)) * static_cast<double>(g.view()(j, c));
          }
          worst = std::max({worst, std::abs(z.view()(i, c) - forward), std::abs(u.view()(c, i) - backward)});
        }
      }
    }
    EXPECT_LT(worst, 5e-5) << n;
  }
}

}  // namespace
}  // namespace vise::probes
