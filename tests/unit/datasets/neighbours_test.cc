// The search against all pairs, compared one by one.
#include "datasets/neighbours.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "base/random.h"

namespace vise::datasets {
namespace {

constexpr std::size_t kDim = 256, kRows = 1500;

// Rectified rows about a few directions, as features are; every tenth is an earlier one with noise of growing size.
std::vector<float> drawn_features() {
  RandomStream random("neighbours test", 0);
  std::vector<float> rows;
  for (std::size_t i = 0; i < kRows; ++i)
    for (std::size_t j = 0; j < kDim; ++j) {
      const bool copy = i % 10 == 9;
      const double base = copy ? rows[(i - 9) * kDim + j] : 0.5 + random.normal() + (j % 8 == i % 8 ? 1 : 0);
      const double noise = copy ? 0.0008 * static_cast<double>(i) * random.normal() : 0;
      rows.push_back(static_cast<float>(std::max(0.0, base + noise)));
    }
  return rows;
}

std::vector<std::span<const float>> spans(const std::vector<float>& rows, std::size_t dim) {
  std::vector<std::span<const float>> all;
  for (std::size_t i = 0; i < rows.size(); i += dim) all.push_back(std::span(rows).subspan(i, dim));
  return all;
}

double centred_cosine(const std::vector<float>& rows, std::size_t a, std::size_t b) {
  static const std::vector<double> mean = [&] {
    std::vector<double> sums(kDim);
    for (std::size_t i = 0; i < rows.size(); ++i) sums[i % kDim] += rows[i] / static_cast<double>(kRows);
    return sums;
  }();
  double xy = 0, xx = 0, yy = 0;
  for (std::size_t j = 0; j < kDim; ++j) {
    const double x = rows[a * kDim + j] - mean[j], y = rows[b * kDim + j] - mean[j];
    xy += x * y;
    xx += x * x;
    yy += y * y;
  }
  return xy / std::sqrt(xx * yy);
}

TEST(Neighbours, AreThoseOfAllPairs) {
  const std::vector<float> rows = drawn_features();
  std::set<std::pair<std::uint32_t, std::uint32_t>> expected;
  for (std::uint32_t a = 0; a < kRows; ++a)
    for (std::uint32_t b = a + 1; b < kRows; ++b)
      if (centred_cosine(rows, a, b) >= 0.85) expected.emplace(a, b);
  ASSERT_GT(expected.size(), 50u);
  ASSERT_LT(expected.size(), 140u);  // some of the 150 copies are too far off
  Silent log;
  const std::vector<NeighbourPair> found = neighbour_pairs(spans(rows, kDim), {}, {.log = log, .threads = 2});
  std::size_t hits = 0;
  for (const NeighbourPair& pair : found) {
    hits += expected.count({pair.first, pair.second});
    EXPECT_NEAR(pair.cosine, centred_cosine(rows, pair.first, pair.second), 1e-5);
  }
  EXPECT_EQ(hits, found.size());
  EXPECT_GE(static_cast<double>(hits), 0.95 * static_cast<double>(expected.size()));
}

TEST(Neighbours, DontDependOnThreads) {
  const std::vector<float> rows = drawn_features();
  Silent log;
  const auto one = neighbour_pairs(spans(rows, kDim), {}, {.log = log, .threads = 1}),
             three = neighbour_pairs(spans(rows, kDim), {}, {.log = log, .threads = 3});
  ASSERT_EQ(one.size(), three.size());
  for (std::size_t i = 0; i < one.size(); ++i) {
    EXPECT_EQ(one[i].first, three[i].first);
    EXPECT_EQ(one[i].second, three[i].second);
    EXPECT_EQ(one[i].cosine, three[i].cosine);
  }
}

TEST(Neighbours, RowsWithoutADirectionHaveNone) {
  Silent log;
  const Context context{.log = log};
  const std::vector<float> equal(40, 1.5F);
  EXPECT_TRUE(neighbour_pairs(spans(equal, 4), {}, context).empty());
  EXPECT_TRUE(neighbour_pairs({}, {}, context).empty());
}

}  // namespace
}  // namespace vise::datasets
