#include "extract/networks/checkpoint/tensor.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "base/hash.h"
#include "tests/unit/extract/networks/checkpoint/files.h"

namespace vise::networks {
namespace {

using test::contains;
using test::refusal;

template <typename T>
Tensor tensor_of(DType dtype, const std::vector<T>& values, std::vector<std::int64_t> shape,
                 std::vector<std::int64_t> strides, std::int64_t offset = 0) {
  const auto owner = std::make_shared<std::vector<T>>(values);
  return {dtype, std::move(shape), std::move(strides), offset, std::as_bytes(std::span(*owner)), owner};
}

// IEEE 754-2008, 3.6: value = (-1)^s 2^(e-15) (1 + m/1024), denormal (-1)^s 2^-14 m/1024.
TEST(Tensor, WidensEveryHalfExactly) {
  std::vector<std::uint16_t> all(65536);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint16_t>(i);
  const std::vector<float> floats = tensor_of(DType::f16, all, {65536}, {1}).to_floats();
  for (std::uint32_t i = 0; i < 65536; ++i) {
    const int sign = i >> 15 ? -1 : 1, exponent = i >> 10 & 31, mantissa = i & 1023;
    if (exponent == 31 && mantissa) {
      EXPECT_TRUE(std::isnan(floats[i])) << i;
      continue;
    }
    const double expected = exponent == 31 ? std::numeric_limits<double>::infinity()
                            : exponent     ? std::ldexp(1 + mantissa / 1024.0, exponent - 15)
                                           : std::ldexp(mantissa / 1024.0, -14);
    EXPECT_EQ(static_cast<double>(floats[i]), sign * expected) << i;
    EXPECT_EQ(std::signbit(floats[i]), sign < 0) << i;
  }
}

TEST(Tensor, WidensBfloatsAndIntegers) {
  EXPECT_EQ(tensor_of<std::uint16_t>(DType::bf16, {0x3F80, 0xC000, 0x7F80}, {3}, {1}).to_floats(),
            (std::vector<float>{1, -2, std::numeric_limits<float>::infinity()}));
  EXPECT_EQ(tensor_of<std::int8_t>(DType::i8, {-1, 2}, {2}, {1}).to_floats(), (std::vector<float>{-1, 2}));
  EXPECT_EQ(tensor_of<std::uint8_t>(DType::boolean, {0, 1, 2}, {3}, {1}).to_floats(), (std::vector<float>{0, 1, 1}));
}

TEST(Tensor, FollowsStridesAndOffset) {
  const std::vector<std::int32_t> base{0, 1, 2, 3, 4, 5, 6, 7};
  const Tensor transposed = tensor_of(DType::i32, base, {3, 2}, {1, 3}, 1);
  EXPECT_FALSE(transposed.is_contiguous());
  EXPECT_EQ(transposed.to_floats(), (std::vector<float>{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(tensor_of(DType::i32, base, {2, 3}, {0, 1}, 5).to_floats(), (std::vector<float>{5, 6, 7, 5, 6, 7}));
  EXPECT_TRUE(tensor_of(DType::i32, base, {1, 8, 1}, {99, 1, 7}).is_contiguous());
  EXPECT_EQ(sum(tensor_of(DType::i32, base, {}, {}, 3)).real, 3);
  EXPECT_TRUE(tensor_of(DType::i32, base, {0, 4}, {4, 1}, 8).to_floats().empty());
}

TEST(Tensor, ReadsStoragesThatAreNotAligned) {
  const auto owner = std::make_shared<std::string>("x" + test::little(1.5F) + test::little(2.5F));
  const Tensor tensor{DType::f32, {2}, {1}, 0, as_byte_view(*owner).subspan(1), owner};
  EXPECT_EQ(tensor.to_floats(), (std::vector<float>{1.5F, 2.5F}));
}

TEST(Tensor, SumsInDouble) {
  const std::vector<float> many(1'000'000, 0.1F);
  EXPECT_NEAR(sum(tensor_of(DType::f32, many, {1'000'000}, {1})).real, 1e6 * static_cast<double>(0.1F), 1e-7);
}

TEST(CheckView, RefusesWhatLeavesTheStorage) {
  using V = std::vector<std::int64_t>;
  const auto why = [](const V& shape, const V& strides, std::int64_t offset) {
    return refusal([&] { check_view(shape, strides, offset, 6); });
  };
  EXPECT_NO_THROW(check_view({2, 3}, {3, 1}, 0, 6));
  EXPECT_NO_THROW(check_view({0, 3}, {INT64_MAX, 1}, 6, 6));
  EXPECT_TRUE(contains(why({2, 3}, {4, 1}, 0), "reaches element 6"));
  EXPECT_TRUE(contains(why({2}, {1}, 5), "reaches element 6"));
  EXPECT_TRUE(contains(why({1}, {1}, 7), "begins at element 7"));
  EXPECT_TRUE(contains(why({2}, {-1}, 5), "negative stride"));
  EXPECT_TRUE(contains(why({-2, -3}, {3, 1}, 0), "negative size"));
  EXPECT_TRUE(contains(why({3}, {std::int64_t{1} << 62}, 0), "2^63"));
  EXPECT_TRUE(contains(why({std::int64_t{1} << 62, 4}, {0, 0}, 0), "2^63"));
  EXPECT_TRUE(contains(why({2}, {1, 1}, 0), "1 sizes and 2 strides"));
  EXPECT_TRUE(contains(why(V(65, 1), V(65, 1), 0), "65 dimensions"));
}

}  // namespace
}  // namespace vise::networks
