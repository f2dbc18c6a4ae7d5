#include "datasets/targets.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace vise::datasets {
namespace {

TEST(Targets, SortsClassNamesBytewiseAndKeepsEmptyLabelsUnknown) {
  const Targets targets = Targets::from_labels(std::vector<std::string>{"joy", "Anger", "", "fear", "joy"});
  EXPECT_EQ(targets.names(), (std::vector<std::string>{"Anger", "fear", "joy"}));
  EXPECT_EQ(std::vector<int>(targets.classes().begin(), targets.classes().end()), (std::vector<int>{2, 0, -1, 1, 2}));
  EXPECT_FALSE(targets.known(2));
}

TEST(Targets, KeepsAGivenOrderAndNamesTheNearestClassOfAStranger) {
  const std::vector<std::string> order{"surprise", "joy"};
  EXPECT_EQ(Targets::from_labels(std::vector<std::string>{"joy"}, order).classes()[0], 1);
  try {
    Targets::from_labels(std::vector<std::string>{"joy", "suprise"}, order);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.message(), "item 2: label 'suprise' is not a class");
    EXPECT_NE(e.hint().find("'surprise'"), std::string::npos);
  }
}

TEST(Targets, SelectsRowsOfEveryForm) {
  const std::vector<std::uint32_t> items{2, 0};
  const Targets classes = Targets::from_classes({0, 1, -1}, {"a", "b"}).select(items);
  EXPECT_EQ(classes.classes()[0], -1);
  EXPECT_EQ(classes.classes()[1], 0);
  const Targets values = Targets::from_values({1, 2, 3, 4, 5, 6}, {"valence", "arousal"}).select(items);
  EXPECT_EQ(std::vector<double>(values.rows().begin(), values.rows().end()), (std::vector<double>{5, 6, 1, 2}));
  const Targets bits = Targets::from_multi_label({1, 0, 0, 1, -1, -1}, {"x", "y"}).select(items);
  EXPECT_EQ(bits.multi_label()[0], -1);
  EXPECT_EQ(bits.size(), 2u);
}

TEST(Targets, StratifyByMostVotesRarestLabelAndQuartile) {
  EXPECT_EQ(Targets::from_distribution({1, 3, 2, 2, 0, 0}, {"a", "b"}).strata(), (std::vector<int>{1, 0, -1}));
  EXPECT_EQ(Targets::from_multi_label({1, 1, 1, 0, 0, 0, -1, -1}, {"common", "rare"}).strata(),
            (std::vector<int>{1, 0, 2, -1}));
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(Targets::from_values({4, 1, nan, 3, 2}, {"score"}).strata(), (std::vector<int>{3, 0, -1, 2, 1}));
}

}  // namespace
}  // namespace vise::datasets
