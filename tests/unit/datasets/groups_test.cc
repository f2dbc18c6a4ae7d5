#include "datasets/groups.h"

#include <gtest/gtest.h>

namespace vise::datasets {
namespace {

const std::vector<Part> kParts{Part::train, Part::test, Part::train, Part::train, Part::unused, Part::val};

TEST(StraddlingGroups, AreThoseInTwoPartsThatAreUsed) {
  const std::vector<std::string> groups{"a", "a", "b", "b", "b", ""};
  const GroupCount count = straddling_groups(groups, Split(kParts, "by hand"));
  EXPECT_EQ(count.groups, 2u);
  EXPECT_EQ(count.straddling, 1u);
  EXPECT_EQ(count.examples, std::vector<std::string>{"a"});
}

TEST(GroupsByName, AreWhatStandsLeftOfARunningNumber) {
  const std::vector<std::string> ids{"calm/subject12_03.jpg",
                                     "tense/subject12_04.jpg",
                                     "calm/subject13_1.jpg",
                                     "calm/subject13_2.jpg",
                                     "p1-7.png",
                                     "p1-8.png"};
  EXPECT_EQ(groups_by_name(ids),
            (std::vector<std::string>{"subject12", "subject12", "subject13", "subject13", "p1", "p1"}));
}

TEST(GroupsByName, AreNotSeenInRunningNumbersAlone) {
  EXPECT_TRUE(groups_by_name(std::vector<std::string>{"img_001.jpg", "img_002.jpg", "img_003.jpg"}).empty());
  EXPECT_TRUE(groups_by_name(std::vector<std::string>{"001.jpg", "002.jpg", "a/003.jpg", "2024-1.jpg"}).empty());
  // CUB's: a number an image, another of the photograph's page.
  EXPECT_TRUE(
      groups_by_name(std::vector<std::string>{"Jay_0046_18.jpg", "Jay_0047_19.jpg", "Jay_0048_20.jpg"}).empty());
}

}  // namespace
}  // namespace vise::datasets
