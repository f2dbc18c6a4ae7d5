#include "base/yaml.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace vise {
namespace {

std::string message_of(std::string_view text) {
  try {
    YamlFile::parse(text, "t.yaml");
  } catch (const Error& e) {
    return e.message();
  }
  return {};
}

TEST(Yaml, TellsNumbersFromTexts) {
  const YamlFile file = YamlFile::parse("a: 1\nb: 1.5\nc: '1'\nd: true\ne: ~\nf: yes\ng: [x, 2]\n", "t.yaml");
  EXPECT_EQ(file.root(), Json::parse(R"({"a":1,"b":1.5,"c":"1","d":true,"e":null,"f":"yes","g":["x",2]})"));
  EXPECT_EQ(file.line("/c"), 3);
}

TEST(Yaml, NamesLineAndNearestNameOfAnUnknownKey) {
  const YamlFile file = YamlFile::parse("dataset: x\nmetrc: accuracy\n", "t.yaml");
  const std::vector<std::string> known{"dataset", "metric"};
  try {
    file.expect_keys("", known);
    FAIL() << "took an unknown key";
  } catch (const Error& e) {
    EXPECT_NE(e.message().find("line 2"), std::string::npos) << e.message();
    EXPECT_NE(e.hint().find("metric"), std::string::npos) << e.hint();
  }
}

TEST(Yaml, RefusesAKeyGivenTwiceBrokenTextAndBombs) {
  EXPECT_NE(message_of("a: 1\na: 2\n").find("t.yaml"), std::string::npos);
  EXPECT_NE(message_of("a: [1, 2\n").find("line"), std::string::npos);
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    bomb += fmt::format("a{0}: &a{0} [", i);
    for (int k = 0; k < 10; ++k) bomb += fmt::format("{}*a{}", k ? ", " : "", i - 1);
    bomb += "]\n";
  }
  EXPECT_FALSE(message_of(bomb).empty());
  EXPECT_FALSE(message_of(std::string(1000, '[') + std::string(1000, ']')).empty());
}

}  // namespace
}  // namespace vise
