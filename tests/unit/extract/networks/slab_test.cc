#include "extract/networks/onednn/slab.h"

#include <gtest/gtest.h>

namespace vise::networks {
namespace {

TEST(SlabPlan, ReusesAPlaceOnceNobodyHoldsIt) {
  SlabPlan plan;
  auto a = plan.place(1000);
  const auto b = plan.place(1000);
  EXPECT_NE(a->offset, b->offset);
  const std::size_t freed = a->offset;
  a.reset();
  EXPECT_EQ(plan.place(500)->offset, freed);
  EXPECT_EQ(plan.size(), 2 * 1024u);
}

TEST(SlabPlan, NeverOverlapsPlacesThatLiveTogether) {
  SlabPlan plan;
  const auto a = plan.place(64), b = plan.place(128);
  { const auto gap = plan.place(64); }
  const auto c = plan.place(256), d = plan.place(64);
  const std::shared_ptr<const SlabPlan::Place> places[] = {a, b, c, d};
  for (const auto& x : places)
    for (const auto& y : places)
      if (x != y) {
        EXPECT_TRUE(x->offset + x->bytes <= y->offset || y->offset + y->bytes <= x->offset);
      }
}

TEST(AlignedBytes, IsAlignedForTheWidestRegisters) {
  const AlignedBytes bytes(100);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(bytes.data()) % 64, 0u);
}

}  // namespace
}  // namespace vise::networks
