#include "probes/triangular_tiles.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/random.h"

namespace vise {
namespace {

// Against plain loops in double; sizes below, at and beyond one tile.
TEST(TriangularTiles, MultiplyAsTheMatrixDoes) {
  const std::size_t columns = 5, apart = narrow_stride(columns);
  for (const std::size_t n : {1, 127, 128, 129, 300}) {
    RandomStream random("test/triangular-tiles", n);
    std::vector<float> a(n * n);
    NarrowVector<float> g(n * apart);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j <= i; ++j) a[i * n + j] = static_cast<float>(random.normal());
      for (std::size_t c = 0; c < columns; ++c) g[i * apart + c] = static_cast<float>(random.normal());
    }
    const TriangularTiles tiles(a, n, 2);
    double worst = 0;
    for (std::size_t t = 0; t < tiles.tiles(); ++t) {
      const std::size_t begin = tiles.begin(t), count = tiles.count(t);
      NarrowVector<double> z(count * apart), u(columns * count);
      tiles.times(t, g.data(), columns, z.data());
      tiles.transposed_times(t, g.data(), columns, u.data());
      for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t c = 0; c < columns; ++c) {
          double forward = 0, backward = 0;
          for (std::size_t j = 0; j < n; ++j) {
            forward += static_cast<double>(a[(begin + i) * n + j]) * static_cast<double>(g[j * apart + c]);
            backward += static_cast<double>(a[j * n + begin + i]) * static_cast<double>(g[j * apart + c]);
          }
          worst = std::max({worst, std::abs(z[i * apart + c] - forward), std::abs(u[c * count + i] - backward)});
        }
      }
    }
    EXPECT_LT(worst, 5e-5) << n;
  }
}

}  // namespace
}  // namespace vise
