#include <gtest/gtest.h>

#include <span>

#include "base/hash.h"
#include "datasets/adapters/demo_drawing.h"
#include "tests/unit/datasets/trees.h"

namespace vise::datasets {
namespace {

using test::MiniTree;

TEST(Demo, DrawsItsPicturesOnceAndSplitsThem) {
  MiniTree tree;
  const Dataset dataset = test::open_builtin("demo", tree.path());
  EXPECT_EQ(dataset.size(), 360u);
  EXPECT_EQ(dataset.official->count(Part::train), 192u);
  EXPECT_EQ(dataset.official->count(Part::val), 72u);
  EXPECT_EQ(dataset.official->count(Part::test), 96u);
  for (std::size_t i = 0; i < dataset.size(); ++i) ASSERT_TRUE(std::filesystem::exists(dataset.path(i)));
  const auto written = std::filesystem::last_write_time(dataset.path(7));
  std::filesystem::remove(dataset.path(8));
  test::open_builtin("demo", tree.path());
  EXPECT_EQ(std::filesystem::last_write_time(dataset.path(7)), written);
  EXPECT_TRUE(std::filesystem::exists(dataset.path(8)));
}

TEST(Demo, PixelsAreTheSameOnEveryMachine) {
  const auto hash = [](Mood mood, int number) {
    const auto pixels = draw_demo_picture(mood, number);
    return content_hash(std::as_bytes(std::span(pixels))).str();
  };
  EXPECT_EQ(hash(Mood::anger, 0), "09d6b2fda6d6725d1e1bc142c0092bb2");
  EXPECT_EQ(hash(Mood::calm, 1), "ec95f3d44d8ba864dec08241d4d3f62c");
  EXPECT_EQ(hash(Mood::joy, 2), "8327f264f9cfa3d12d230182e52b699b");
  EXPECT_EQ(hash(Mood::sadness, 3), "a9261600780f3f1c0b05a3d4eaf224b8");
}

}  // namespace
}  // namespace vise::datasets
