#include "probes/logistic/vector_math.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/random.h"

namespace vise::probes {
namespace {

// Against the C library's scalar functions; every length leaves another remainder.
TEST(VectorMath, EqualsTheScalarFunctionsToTheLastPlaces) {
  RandomStream random("test/vector-math", 0);
  for (const std::size_t n : {0, 1, 2, 3, 4, 5, 103}) {
    std::vector<double> x(n), y(n);
    for (std::size_t i = 0; i < n; ++i) {
      x[i] = -800 * random.uniform() * random.uniform();
      y[i] = std::exp(x[i] / 20);
    }
    std::vector<double> e = x, l = y;
    exp_in_place(e);
    log1p_in_place(l);
    for (std::size_t i = 0; i < n; ++i) {
      EXPECT_NEAR(e[i], std::exp(x[i]), 1e-15 * std::exp(x[i]) + 1e-320) << x[i];
      EXPECT_NEAR(l[i], std::log1p(y[i]), 1e-15 * std::log1p(y[i])) << y[i];
    }
  }
}

}  // namespace
}  // namespace vise::probes
