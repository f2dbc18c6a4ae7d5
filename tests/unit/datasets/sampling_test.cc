#include "datasets/sampling.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "base/random.h"
#include "tests/unit/datasets/trees.h"

namespace vise::datasets {
namespace {

using test::error_of;
using test::Names;

struct Case {
  std::vector<int> strata;
  Split split;
};

// Any split over any strata, unknown ones included.
Case random_case(std::uint64_t seed) {
  RandomStream random("sampling test", seed);
  const std::size_t n = 1 + random.below(300);
  Case result;
  std::vector<Part> parts;
  for (std::size_t i = 0; i < n; ++i) {
    result.strata.push_back(static_cast<int>(random.below(6)) - 1);
    parts.push_back(static_cast<Part>(random.below(4)));
  }
  result.split = Split(std::move(parts), "random");
  return result;
}

void expect_only_train_was_thinned(const Split& before, const Split& after) {
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (before.part(i) == Part::train)
      EXPECT_TRUE(after.part(i) == Part::train || after.part(i) == Part::unused);
    else
      EXPECT_EQ(after.part(i), before.part(i));
  }
}

TEST(Sampling, NeverPutsAValOrTestItemIntoTheFitSet) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    const Case c = random_case(seed);
    expect_only_train_was_thinned(c.split, few_shots(c.split, c.strata, static_cast<int>(1 + seed % 20), "p", seed));
    expect_only_train_was_thinned(c.split,
                                  label_fraction(c.split, c.strata, 0.01 + 0.001 * double(seed % 900), "p", seed));
  }
}

TEST(Sampling, DrawsSoManyShotsOfEveryClassAndFewerAreASubsetOfMore) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const Case c = random_case(seed);
    const Split one = few_shots(c.split, c.strata, 1, "p", 7), four = few_shots(c.split, c.strata, 4, "p", 7);
    std::map<int, int> drawn, there;
    for (const auto item : four.items(Part::train)) ++drawn[c.strata[item]];
    for (const auto item : c.split.items(Part::train)) ++there[c.strata[item]];
    for (const auto& [stratum, n] : there) EXPECT_EQ(drawn[stratum], stratum < 0 ? 0 : std::min(n, 4));
    for (const auto item : one.items(Part::train)) EXPECT_EQ(four.part(item), Part::train);
  }
}

TEST(Sampling, KeepsAShareOfEveryClassAndAtLeastOne) {
  const Split split(std::vector<Part>(103, Part::train), "all");
  std::vector<int> strata(103, 0);
  strata[100] = strata[101] = strata[102] = 1;
  const Split tenth = label_fraction(split, strata, 0.1, "p", 0);
  EXPECT_EQ(tenth.count(Part::train), 11u);
  EXPECT_EQ(tenth.origin(), "all, 10 % of train (seed 0)");
  EXPECT_EQ(label_fraction(split, strata, 1, "p", 0).count(Part::train), 103u);
  EXPECT_THROW(label_fraction(split, strata, 0, "p", 0), Error);
}

Dataset small_dataset() {
  Dataset dataset;
  dataset.name = "mine";
  dataset.ids = {"a", "b", "c"};
  dataset.attributes["topic"] = {"guns", "Immigration", "guns"};
  dataset.targets.emplace("label", Targets::from_labels(Names{"left", "left", "right"}));
  dataset.targets.emplace("votes", Targets::from_distribution({5, 0, 3, 2, 0, 0}, {"x", "y"}));
  dataset.official = Split({Part::train, Part::val, Part::test}, "official");
  return dataset;
}

TEST(Where, ComparesAttributesAndClasses) {
  const Dataset dataset = small_dataset();
  using Items = std::vector<std::uint32_t>;
  EXPECT_EQ(where(dataset, "topic=immigration"), (Items{1}));
  EXPECT_EQ(where(dataset, "topic!=immigration"), (Items{0, 2}));
  EXPECT_EQ(where(dataset, "topic=guns,label=right"), (Items{2}));
  EXPECT_NE(error_of([&] { where(dataset, "topik=guns"); }).hint().find("'topic'"), std::string::npos);
  EXPECT_NE(error_of([&] { where(dataset, "topic=gun"); }).hint().find("'guns'"), std::string::npos);
}

TEST(Subset, TakesEveryColumnAlong) {
  const Dataset part = subset(small_dataset(), std::vector<std::uint32_t>{2, 0});
  EXPECT_EQ(part.ids, (Names{"c", "a"}));
  EXPECT_EQ(test::class_names(part.target("label")), (Names{"right", "left"}));
  EXPECT_EQ(part.official->part(0), Part::test);
  EXPECT_EQ(part.target("votes").rows()[2], 5);
}

TEST(Agreed, KeepsItemsThatEnoughVotersAgreeOn) {
  const Targets votes = small_dataset().target("votes");
  EXPECT_EQ(agreed(votes, 1), (std::vector<std::uint32_t>{0}));
  EXPECT_EQ(agreed(votes, 0.6), (std::vector<std::uint32_t>{0, 1}));
}

}  // namespace
}  // namespace vise::datasets
