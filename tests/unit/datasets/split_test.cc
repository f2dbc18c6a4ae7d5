#include "datasets/split.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "base/hash.h"
#include "base/random.h"
#include "tests/shared.h"

namespace vise::datasets {
namespace {

constexpr std::array<double, 3> kShares{0.8, 0.1, 0.1};

std::vector<int> random_strata(std::size_t n, int classes, std::uint64_t seed) {
  RandomStream random("split test", seed);
  std::vector<int> strata(n);
  for (int& s : strata) s = static_cast<int>(random.below(static_cast<std::uint64_t>(classes + 1))) - 1;
  return strata;
}

TEST(Split, GivesEveryStratumItsSharesAndLeavesNegativeStrataUnused) {
  const std::vector<int> strata = random_strata(5000, 7, 1);
  const Split split = Split::stratified(strata, kShares, "test", 0);
  std::map<int, std::array<double, 4>> counts;
  for (std::size_t i = 0; i < strata.size(); ++i) ++counts[strata[i]][static_cast<std::size_t>(split.part(i))];
  for (const auto& [stratum, parts] : counts) {
    const double n = parts[0] + parts[1] + parts[2];
    EXPECT_TRUE(stratum >= 0 || n == 0);
    for (std::size_t p = 0; p < 3; ++p) EXPECT_LT(std::abs(parts[p] - kShares[p] * n), 1.0);
  }
  EXPECT_EQ(split.origin(), "stratified 80/10/10 (seed 0)");
}

TEST(Split, SharesRemaindersOfSmallStrataAmongTheParts) {
  std::vector<int> strata;
  for (int k = 0; k < 100; ++k) strata.insert(strata.end(), 4, k);
  const Split split = Split::stratified(strata, kShares, "test", 0);
  EXPECT_NEAR(static_cast<double>(split.count(Part::val)), static_cast<double>(split.count(Part::test)), 1);
}

TEST(Split, IsTheSameOnEveryMachine) {
  std::vector<int> strata;
  std::vector<std::string> ids;
  for (int i = 0; i < 30; ++i) strata.push_back(i % 3), ids.push_back(fmt::format("images/{}.jpg", i));
  const Split split = Split::stratified(strata, kShares, "emotion/split", 0);
  EXPECT_EQ(split.hash(ids), "8d445a57ac98763b515746290e6f01c747dc527d42f60e808ddd647ab2f4c7f4");
  EXPECT_NE(split.hash(ids), Split::stratified(strata, kShares, "emotion/split", 1).hash(ids));
  EXPECT_NE(split.hash(ids), Split::stratified(strata, kShares, "other/split", 0).hash(ids));
}

TEST(Split, HashIsOverIdAndPart) {
  const Split split({Part::train, Part::test}, "official");
  EXPECT_EQ(split.hash(std::vector<std::string>{"a", "b"}), sha256_hex(std::string_view("a\0train\nb\0test\n", 15)));
}

TEST(Split, KeepsGroupsTogetherAndPartsNearTheirShares) {
  RandomStream random("groups", 3);
  std::vector<std::string> groups;
  std::vector<int> strata;
  for (int i = 0; i < 4000; ++i) {
    groups.push_back(fmt::format("outlet {}", random.below(60)));
    strata.push_back(std::stoi(groups.back().substr(7)) % 2);
  }
  const Split split = Split::grouped(groups, strata, kShares, "politics/split", 0);
  std::map<std::string, std::set<Part>> parts;
  for (std::size_t i = 0; i < groups.size(); ++i) parts[groups[i]].insert(split.part(i));
  for (const auto& [name, of_group] : parts) EXPECT_EQ(of_group.size(), 1u) << name;
  EXPECT_NEAR(static_cast<double>(split.count(Part::train)), 3200, 160);
  EXPECT_NEAR(static_cast<double>(split.count(Part::val)), 400, 160);
  EXPECT_NEAR(static_cast<double>(split.count(Part::test)), 400, 160);
}

TEST(Split, GivesThreeEqualGroupsToThreeParts) {
  std::vector<std::string> groups;
  for (int i = 0; i < 30; ++i) groups.push_back(std::string(1, static_cast<char>('a' + i % 3)));
  const Split split = Split::grouped(groups, std::vector<int>(30, 0), kShares, "x", 0);
  for (const Part part : {Part::train, Part::val, Part::test}) EXPECT_EQ(split.count(part), 10u);
  EXPECT_THROW(Split::grouped(std::vector<std::string>{"a", "a"}, std::vector<int>{0, 0}, kShares, "x", 0), Error);
}

TEST(Split, DoesNotDependOnTheOrderOfItemsWhenGrouped) {
  std::vector<std::string> groups;
  for (int i = 0; i < 40; ++i) groups.push_back(fmt::format("g{}", i % 9));
  const std::vector<int> strata(40, 0);
  const Split forward = Split::grouped(groups, strata, kShares, "x", 0);
  std::vector<std::string> reversed(groups.rbegin(), groups.rend());
  const Split backward = Split::grouped(reversed, strata, kShares, "x", 0);
  for (std::size_t i = 0; i < 40; ++i) EXPECT_EQ(forward.part(i), backward.part(39 - i));
}

TEST(Split, TakesValFromTrainAlone) {
  std::vector<Part> parts(100, Part::train);
  for (std::size_t i = 80; i < 100; ++i) parts[i] = Part::test;
  const Split official(parts, "official");
  const Split split = official.with_val_from_train(std::vector<int>(100, 0), 0.1, "x", 0);
  EXPECT_EQ(split.count(Part::val), 8u);
  EXPECT_EQ(split.items(Part::test), official.items(Part::test));
  EXPECT_EQ(split.origin(), "official, val = 10 % of train (stratified, seed 0)");
}

TEST(Split, WritesIdsAndParts) {
  const test::ScratchDir scratch;
  Split({Part::train, Part::unused}, "official")
      .write(scratch / "split.csv", std::vector<std::string>{"a,b.jpg", "c.jpg"});
  EXPECT_EQ(read_text_file(scratch / "split.csv"), "id,part\n\"a,b.jpg\",train\nc.jpg,unused\n");
}

TEST(Split, RefusesSharesThatDoNotSumToOne) {
  EXPECT_THROW(Split::stratified(std::vector<int>{0}, {0.8, 0.1, 0.2}, "x", 0), Error);
  EXPECT_THROW(Split::stratified(std::vector<int>{0}, {1.1, -0.1, 0.0}, "x", 0), Error);
}

TEST(ParsePart, KnowsTheUsualWords) {
  EXPECT_EQ(parse_part("Training"), Part::train);
  EXPECT_EQ(parse_part("dev"), Part::val);
  EXPECT_EQ(parse_part(" VALID "), Part::val);
  EXPECT_EQ(parse_part(""), Part::unused);
  EXPECT_THROW(parse_part("fold 3"), Error);
}

TEST(MakeFolds, AreBalancedOverallAndInEveryStratum) {
  const std::vector<int> strata = random_strata(1003, 4, 2);
  const std::vector<int> folds = make_folds(strata, {}, 5, "x", 0);
  std::map<int, std::map<int, int>> counts;
  for (std::size_t i = 0; i < strata.size(); ++i) {
    EXPECT_EQ(folds[i] < 0, strata[i] < 0);
    if (folds[i] >= 0) ++counts[strata[i]][folds[i]], ++counts[99][folds[i]];
  }
  for (const auto& [stratum, of_fold] : counts) {
    EXPECT_EQ(of_fold.size(), 5u);
    const auto [low, high] = std::minmax_element(of_fold.begin(), of_fold.end(),
                                                 [](const auto& a, const auto& b) { return a.second < b.second; });
    EXPECT_LE(high->second - low->second, 1);
  }
}

TEST(MakeFolds, KeepGroupsTogether) {
  std::vector<std::string> groups;
  for (int i = 0; i < 100; ++i) groups.push_back(fmt::format("g{}", i % 20));
  const std::vector<int> folds = make_folds(std::vector<int>(100, 0), groups, 5, "x", 0);
  for (int i = 20; i < 100; ++i) EXPECT_EQ(folds[static_cast<std::size_t>(i)], folds[static_cast<std::size_t>(i % 20)]);
  for (int f = 0; f < 5; ++f) EXPECT_EQ(std::count(folds.begin(), folds.end(), f), 20);
  EXPECT_THROW(make_folds(std::vector<int>{0, 0}, {}, 5, "x", 0), Error);
}

}  // namespace
}  // namespace vise::datasets
