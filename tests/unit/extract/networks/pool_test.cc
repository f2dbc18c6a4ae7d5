#include "extract/networks/pooling.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"

namespace vise {
namespace {

// Two images of 1 x 2 positions and 2 channels.
const std::vector<float> kMap{1, -4, 3, 8, 10, 20, 30, 40};
const FeatureMaps kMaps{kMap, 2, 1, 2, 2};

std::vector<float> pooled(const char* name) {
  std::vector<float> rows(4);
  Pool::parse(name)(kMaps, rows);
  return rows;
}

TEST(Pool, AveragesPositionsPerChannel) { EXPECT_EQ(pooled("avg"), (std::vector<float>{2, 2, 20, 30})); }

TEST(Pool, TakesTheMaximumPerChannel) { EXPECT_EQ(pooled("max"), (std::vector<float>{3, 8, 30, 40})); }

TEST(Pool, GeneralisedMeanClipsBelowItsFloor) {
  const std::vector<float> rows = pooled("gem:3");
  EXPECT_FLOAT_EQ(rows[0], static_cast<float>(std::cbrt((1.0 + 27.0) / 2)));
  EXPECT_FLOAT_EQ(rows[1], static_cast<float>(std::cbrt((1e-18 + 512.0) / 2)));
}

TEST(Pool, NameParsesBackToItself) {
  for (const char* name : {"avg", "max", "gem:3", "gem:2.5"}) EXPECT_EQ(Pool::parse(name).name(), name);
}

TEST(Pool, RefusesUnknownFormsWithTheKnownOnes) {
  for (const char* name : {"mean", "gem", "gem:0", "gem:-1", "gem:x", ""})
    EXPECT_THROW(Pool::parse(name), Error) << name;
}

}  // namespace
}  // namespace vise
