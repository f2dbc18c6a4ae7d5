#include "probes/contrasts.h"

#include <gtest/gtest.h>

#include <numeric>

#include "base/random.h"

namespace vise {
namespace {

TEST(Contrasts, KeepNormsAndComeBackForEveryNumberOfClasses) {
  for (const std::size_t k : {2, 3, 6, 8, 31}) {
    const Contrasts contrasts(k, true);
    ASSERT_EQ(contrasts.size(), k - 1);
    RandomStream random("test/contrasts", k);
    std::vector<double> values(k), reduced(k - 1), back(k);
    for (double& v : values) v = random.normal();
    const double mean = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(k);
    for (double& v : values) v -= mean;
    contrasts.reduce(values.data(), reduced.data());
    contrasts.expand(reduced.data(), back.data());
    double norm = 0, reduced_norm = 0;
    for (std::size_t j = 0; j < k; ++j) EXPECT_NEAR(back[j], values[j], 1e-14);
    for (const double v : values) norm += v * v;
    for (const double v : reduced) reduced_norm += v * v;
    EXPECT_NEAR(reduced_norm, norm, 1e-13 * norm);
  }
}

TEST(Contrasts, AreTheOutputsThemselvesWithoutASoftmax) {
  const Contrasts contrasts(2, false);
  const std::vector<double> values{3, -1};
  std::vector<double> reduced(2);
  contrasts.reduce(values.data(), reduced.data());
  EXPECT_EQ(contrasts.size(), 2u);
  EXPECT_EQ(reduced, values);
}

// Rows one below the other as columns, and back.
TEST(Contrasts, TakeRowsAndGiveThemBackFromColumns) {
  const Contrasts contrasts(3, true);
  const std::vector<double> values{1, 2, -3, 0.5, -0.25, -0.25};
  std::vector<double> reduced(4), columns(4), back(6);
  contrasts.reduce_rows(values.data(), 2, 2.0, reduced.data(), 2);
  for (std::size_t i = 0; i < 2; ++i) {
    for (std::size_t j = 0; j < 2; ++j) columns[j * 2 + i] = reduced[i * 2 + j];
  }
  contrasts.expand_columns(columns.data(), 2, 2, 0.5, back.data());
  for (std::size_t i = 0; i < back.size(); ++i) EXPECT_NEAR(back[i], values[i], 1e-14);
}

}  // namespace
}  // namespace vise
