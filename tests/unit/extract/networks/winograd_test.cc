#include "extract/networks/onednn/winograd.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "extract/networks/onednn/slab.h"

namespace vise::networks {
namespace {

// A convolution with drawn operands in the layout of the kernel.
struct Drawn {
  WinogradConv conv;
  std::vector<float> weights;  // OIHW
  AlignedBytes source, packed, bias, target, scratch;
};

std::span<float> floats(const AlignedBytes& bytes) {
  return {reinterpret_cast<float*>(bytes.data()), bytes.size() / sizeof(float)};
}

std::size_t count(int a, int b, int c = 1, int d = 1) {
  return static_cast<std::size_t>(a) * static_cast<std::size_t>(b) * static_cast<std::size_t>(c) *
         static_cast<std::size_t>(d);
}

Drawn draw(const WinogradConv& conv) {
  RandomStream random("winograd", 1);
  std::vector<float> weights(count(conv.in, conv.out, 9));
  for (float& w : weights) w = static_cast<float>(random.normal() / std::sqrt(9. * conv.in));
  const auto packed = winograd_weights(weights, conv.out, conv.in);
  const auto bytes = [](std::size_t n) { return AlignedBytes(n * sizeof(float)); };
  Drawn drawn{conv,
              std::move(weights),
              bytes(count(conv.batch, conv.in, conv.side, conv.side)),
              bytes(packed.size()),
              bytes(count(conv.out, 1)),
              bytes(count(conv.batch, conv.out, conv.side, conv.side)),
              bytes(winograd_scratch(conv))};
  std::copy(packed.begin(), packed.end(), floats(drawn.packed).begin());
  for (const AlignedBytes* part : {&drawn.source, &drawn.bias, &drawn.target})
    for (float& value : floats(*part)) value = static_cast<float>(random.normal());
  return drawn;
}

std::vector<float> convolved(const Drawn& d) {
  const auto target = floats(d.target);
  const std::vector<float> residual(target.begin(), target.end());
  winograd_convolve(d.conv, floats(d.source).data(), floats(d.packed).data(), floats(d.bias).data(), target.data(),
                    floats(d.scratch).data());
  std::vector<float> result(target.begin(), target.end());
  std::copy(residual.begin(), residual.end(), target.begin());
  return result;
}

// nChw8c
std::size_t index_of(int channels, int side, int image, int channel, int row, int column) {
  return (count(image, channels / 8) + static_cast<std::size_t>(channel / 8)) * count(side, side) * 8 +
         count(row, side) * 8 + count(column, 8) + static_cast<std::size_t>(channel % 8);
}

// The sum over the neighbourhood, in double.
double defined(const Drawn& d, int image, int out, int row, int column) {
  const auto& conv = d.conv;
  const auto source = floats(d.source);
  double sum = floats(d.bias)[static_cast<std::size_t>(out)];
  for (int in = 0; in < conv.in; ++in)
    for (int k = 0; k < 9; ++k) {
      const int y = row + k / 3 - 1, x = column + k % 3 - 1;
      if (y < 0 || x < 0 || y >= conv.side || x >= conv.side) continue;
      sum += static_cast<double>(source[index_of(conv.in, conv.side, image, in, y, x)]) *
             d.weights[count(out, conv.in, 9) + count(in, 9) + static_cast<std::size_t>(k)];
    }
  if (conv.sum) sum += floats(d.target)[index_of(conv.out, conv.side, image, out, row, column)];
  return conv.relu ? std::max(sum, 0.) : sum;
}

double relative_error(const Drawn& d) {
  const auto result = convolved(d);
  double difference = 0, norm = 0;
  for (int image = 0; image < d.conv.batch; ++image)
    for (int out = 0; out < d.conv.out; ++out)
      for (int row = 0; row < d.conv.side; ++row)
        for (int column = 0; column < d.conv.side; ++column) {
          const double exact = defined(d, image, out, row, column);
          const double ours = result[index_of(d.conv.out, d.conv.side, image, out, row, column)];
          difference += (ours - exact) * (ours - exact);
          norm += exact * exact;
        }
  return std::sqrt(difference / norm);
}

class Winograd : public testing::Test {
 protected:
  void SetUp() override {
    if (!has_winograd(8, 16)) GTEST_SKIP() << "skipped: this CPU has no AVX2";
  }
};

TEST_F(Winograd, EqualsTheDefinitionInDoubleAtEverySide) {
  for (int side = 1; side <= 13; ++side)
    EXPECT_LE(relative_error(draw({.batch = 2, .in = 16, .out = 16, .side = side, .relu = false})), 1e-6) << side;
}

TEST_F(Winograd, EqualsTheDefinitionAtAResNetsDepths) {
  for (const auto& [in, out, side] : {std::tuple{64, 32, 9}, {256, 16, 14}, {512, 32, 7}, {8, 48, 6}})
    EXPECT_LE(relative_error(draw({.batch = 1, .in = in, .out = out, .side = side})), 2e-6) << in << " " << out;
}

TEST_F(Winograd, AddsTheResidualBeforeReLU) {
  for (const bool relu : {false, true})
    EXPECT_LE(relative_error(draw({.batch = 3, .in = 16, .out = 32, .side = 7, .sum = true, .relu = relu})), 1e-6);
}

// A batch of many tiles is cut into blocks, whose last one is smaller: no image may notice.
TEST_F(Winograd, GivesAnImageTheSameBitsAnywhereInAnyBatch) {
  const WinogradConv many{.batch = 5, .in = 128, .out = 128, .side = 28};
  WinogradConv one = many;
  one.batch = 1;
  const Drawn together = draw(many), alone = draw(one);
  const auto all = convolved(together);
  const std::size_t per_image = count(128, 28, 28);
  for (std::size_t image = 0; image < 5; ++image) {
    const auto from = floats(together.source).subspan(image * per_image, per_image);
    std::copy(from.begin(), from.end(), floats(alone.source).begin());
    std::copy_n(floats(together.bias).begin(), 128, floats(alone.bias).begin());
    const auto single = convolved(alone);
    EXPECT_TRUE(std::equal(single.begin(), single.end(), all.begin() + static_cast<std::ptrdiff_t>(image * per_image)))
        << image;
  }
}

TEST_F(Winograd, RefusesChannelsThatDoNotFillItsRegisters) {
  EXPECT_FALSE(has_winograd(4, 16));
  EXPECT_FALSE(has_winograd(8, 8));
  EXPECT_FALSE(has_winograd(12, 24));
}

}  // namespace
}  // namespace vise::networks
