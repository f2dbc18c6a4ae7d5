#include "extract/networks/renamed_keys.h"

#include "tests/unit/extract/networks/family_files.h"

namespace vise::networks {
namespace {

constexpr KeyRule kRules[]{{"stem", "features.0"},
                           {"layers.#.merge", "layers.#-1.merge"},
                           {"layers.#.blocks.#.gamma", "features.#*2+1.#.scale", {.after = 2}},
                           {"layers.#.blocks", "features.#+1"},
                           {"gate.weight", "gate.weight", {.before = 1}}};

std::string key(std::string_view name) { return file_key(kRules, name).key; }

TEST(RenamedKeys, PutsNumbersInTheirOrder) {
  EXPECT_EQ(key("layers.3.blocks.12.gamma"), "features.7.12.scale");
  EXPECT_EQ(key("layers.3.merge.weight"), "layers.2.merge.weight");
  EXPECT_EQ(key("layers.9.blocks.1.norm.bias"), "features.10.1.norm.bias");
}

TEST(RenamedKeys, ReplacesWholeComponentsAtANamesStart) {
  EXPECT_EQ(key("stem"), "features.0");
  EXPECT_EQ(key("stem.0.weight"), "features.0.0.weight");
  EXPECT_EQ(key("stems.0.weight"), "stems.0.weight");
  EXPECT_EQ(key("the.stem"), "the.stem");
  EXPECT_EQ(key("layers.x.merge"), "layers.x.merge");
  EXPECT_EQ(key(""), "");
}

TEST(RenamedKeys, TakesTensorsWithUnitDimensions) {
  const Checkpoint checkpoint = test::checkpoint_of(
      {test::constant("features.1.0.scale", {3, 1, 1}), test::constant("gate.weight", {1, 4, 5}, 2)});
  const KeyIndex index(checkpoint);
  KeyMatcher keys(index, {}, {});
  RenamedKeys source(keys, kRules);
  EXPECT_EQ(source.take("layers.0.blocks.0.gamma", {3}, Init::tenth).values().size(), 3U);
  const Parameter gate = source.take("gate.weight", {4, 5}, Init::small);
  EXPECT_EQ(gate.shape(), (std::vector<std::int64_t>{4, 5}));
  EXPECT_EQ(gate.values()[19], 2.0F);
  keys.finish("network", {});
}

// So that a missing tensor is reported as missing, and not taken for a network of fewer blocks.
TEST(KeyIndex, NumbersBlocksByTheHighest) {
  const Checkpoint checkpoint = test::checkpoint_of(
      {test::constant("a.blocks.0.x", {1}), test::constant("a.blocks.11.x", {1}), test::constant("a.blocks.y", {1}),
       test::constant("a.blocks.99999.x", {1}), test::constant("b.blocks.20.x", {1})});
  const KeyIndex index(checkpoint);
  EXPECT_EQ(index.numbered("a.", "blocks."), 12);
  EXPECT_EQ(index.numbered("c.", "blocks."), 0);
}

}  // namespace
}  // namespace vise::networks
