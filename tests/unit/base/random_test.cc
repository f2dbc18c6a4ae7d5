#include "base/random.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace vise {
namespace {

// Expected values: an implementation of xoshiro256** in Python, its state the SHA-256 of "<name>\n<seed>".
TEST(RandomStream, IsTheSameSequenceForEver) {
  RandomStream random("emotion/split", 0);
  EXPECT_EQ(random.next(), 15529275867177374698ULL);
  EXPECT_EQ(random.next(), 12413766327256973374ULL);
  EXPECT_EQ(random.next(), 3911243255337929326ULL);
}

TEST(RandomStream, ShufflesTheSameWayForEver) {
  RandomStream random("emotion/split", 1);
  std::vector<int> values(8);
  std::iota(values.begin(), values.end(), 0);
  random.shuffle(std::span(values));
  EXPECT_EQ(values, (std::vector<int>{5, 0, 1, 3, 6, 7, 2, 4}));
}

TEST(RandomStream, NormalsHaveMeanZeroAndVarianceOne) {
  RandomStream random("normals", 0);
  double sum = 0, squares = 0;
  constexpr int kDraws = 100'000;
  for (int i = 0; i < kDraws; ++i) {
    const double v = random.normal();
    sum += v;
    squares += v * v;
  }
  EXPECT_NEAR(sum / kDraws, 0, 0.02);
  EXPECT_NEAR(squares / kDraws, 1, 0.03);
}

}  // namespace
}  // namespace vise
