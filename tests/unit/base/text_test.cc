#include "base/text.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/base64.h"

namespace vise {
namespace {

TEST(EditDistance, CountsASwapOfNeighboursAsOne) {
  EXPECT_EQ(edit_distance("emotion", "emotion"), 0u);
  EXPECT_EQ(edit_distance("emotion", "emotoin"), 1u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
}

TEST(NearestName, IsSilentWhenNothingIsNear) {
  const std::vector<std::string> names{"emotion", "politics", "hateful-memes"};
  EXPECT_EQ(nearest_name("politcs", names), "politics");
  EXPECT_EQ(nearest_name("zebra", names), "");
}

TEST(Number, ReadsBackAsTheSameDouble) {
  for (const double value : {0.1, 1e-6, 1.0 / 3, 123456789.125, -0.0, 5e-324}) {
    double read = 1;
    ASSERT_TRUE(parse_double(number(value), read)) << number(value);
    EXPECT_EQ(read, value);
    EXPECT_EQ(std::signbit(read), std::signbit(value));
  }
}

TEST(ParseNumbers, TakeTheWholeTextOrNothing) {
  double d = 0;
  std::int64_t i = 0;
  EXPECT_TRUE(parse_double(" 1.5 ", d));
  for (const char* text : {"", "1.5x", "nan", "inf", "1,5", "--1"}) EXPECT_FALSE(parse_double(text, d)) << text;
  EXPECT_TRUE(parse_int("-12", i));
  for (const char* text : {"", "1.0", "9223372036854775808", "1 2"}) EXPECT_FALSE(parse_int(text, i)) << text;
}

// RFC 4648, section 10.
TEST(Base64, EqualsTheStandardsExamples) {
  for (const auto& [text, expected] :
       {std::pair{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}})
    EXPECT_EQ(base64(as_byte_view(std::string_view(text))), expected);
}

}  // namespace
}  // namespace vise
