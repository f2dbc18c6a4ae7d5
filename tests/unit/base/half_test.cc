#include "base/half.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "base/random.h"

namespace vise {
namespace {

// The compiler's own type is the oracle.
#if defined(__FLT16_MAX__)
float widened_by_compiler(std::uint16_t half) {
  _Float16 value;
  std::memcpy(&value, &half, sizeof value);
  return static_cast<float>(value);
}

std::uint16_t narrowed_by_compiler(float value) { return std::bit_cast<std::uint16_t>(static_cast<_Float16>(value)); }

bool same(float a, float b) {
  return (std::isnan(a) && std::isnan(b)) || std::bit_cast<int>(a) == std::bit_cast<int>(b);
}

TEST(Half, EveryHalfWidensAsTheCompilersDoes) {
  std::vector<std::uint16_t> halves(65536);
  for (std::size_t i = 0; i < halves.size(); ++i) halves[i] = static_cast<std::uint16_t>(i);
  std::vector<float> floats(halves.size());
  widen(halves, floats);
  for (const std::uint16_t half : halves) {
    EXPECT_TRUE(same(half_to_float(half), widened_by_compiler(half))) << half;
    EXPECT_TRUE(same(floats[half], widened_by_compiler(half))) << half;
  }
}

TEST(Half, FloatsNarrowToTheNearestAsTheCompilersDo) {
  RandomStream random("half-test", 0);
  std::vector<float> floats{0.0F,
                            -0.0F,
                            65504.0F,
                            65519.99F,
                            65520.0F,
                            1e30F,
                            0x1p-24F,
                            0x1p-25F,
                            0x1.8p-25F,
                            0x1p-14F,
                            std::numeric_limits<float>::infinity()};
  for (int i = 0; i < 200000; ++i)
    floats.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(random.below(1ULL << 32))));
  // All values between two neighbouring halves, ties among them.
  for (std::uint32_t bits = 0x3F800000; bits < 0x3F800000 + 4 * 8192; ++bits)
    floats.push_back(std::bit_cast<float>(bits));
  std::erase_if(floats, [](float value) { return std::isnan(value); });
  std::vector<std::uint16_t> halves(floats.size());
  narrow(floats, halves);
  for (std::size_t i = 0; i < floats.size(); ++i) {
    EXPECT_EQ(halves[i], narrowed_by_compiler(floats[i])) << floats[i];
    EXPECT_EQ(float_to_half(floats[i]), halves[i]) << floats[i];
  }
}
#endif

TEST(Half, NaNStaysNaN) {
  EXPECT_TRUE(std::isnan(half_to_float(float_to_half(std::numeric_limits<float>::quiet_NaN()))));
}

}  // namespace
}  // namespace vise
