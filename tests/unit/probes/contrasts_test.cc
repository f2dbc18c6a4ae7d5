#include "probes/logistic/contrasts.h"

#include <gtest/gtest.h>

#include <numeric>

#include "base/random.h"

namespace vise::probes {
namespace {

TEST(Contrasts, KeepNormsAndComeBackForEveryNumberOfClasses) {
  for (const std::size_t k : {2, 3, 6, 8, 31}) {
    const Contrasts contrasts(k, true);
    ASSERT_EQ(contrasts.size(), k - 1);
    RandomStream random("test/contrasts", k);
    Row values(k), reduced(k - 1), back(k);
    for (double& v : values) v = random.normal();
    const double mean = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(k);
    for (double& v : values) v -= mean;
    contrasts.reduce(values, reduced);
    contrasts.expand(reduced, back);
    double norm = 0, reduced_norm = 0;
    for (std::size_t j = 0; j < k; ++j) EXPECT_NEAR(back[j], values[j], 1e-14);
    for (const double v : values) norm += v * v;
    for (const double v : reduced) reduced_norm += v * v;
    EXPECT_NEAR(reduced_norm, norm, 1e-13 * norm);
  }
}

TEST(Contrasts, AreTheOutputsThemselvesWithoutASoftmax) {
  const Contrasts contrasts(2, false);
  const Row values = Eigen::RowVector2d(3, -1);
  Row reduced(2);
  contrasts.reduce(values, reduced);
  EXPECT_EQ(contrasts.size(), 2u);
  EXPECT_EQ(reduced, values);
}

// Rows one below the other as columns, and back.
TEST(Contrasts, TakeRowsAndGiveThemBackFromColumns) {
  const Contrasts contrasts(3, true);
  Matrix<double> values(2, 3), reduced(2, 2), back(2, 3);
  values << 1, 2, -3, 0.5, -0.25, -0.25;
  contrasts.reduce_rows(values, 2.0, reduced);
  const Matrix<double> columns = reduced.transpose();
  contrasts.expand_columns(columns, 0.5, back);
  EXPECT_LT((back - values).cwiseAbs().maxCoeff(), 1e-14);
}

}  // namespace
}  // namespace vise::probes
