#include "reports/statistics/seed_draws.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "base/random.h"
#include "reports/statistics/resampled_ranking.h"

namespace vise {

SeedDraws::SeedDraws(std::size_t seeds, std::string stream_name, std::uint64_t seed)
    : seeds_(seeds), name_(fmt::format("{}/{}", stream_name, seeds)), seed_(seed) {}

void SeedDraws::block(std::size_t block, std::span<double> weights) const {
  assert(weights.size() == kLanes * seeds_);
  std::ranges::fill(weights, seeds_ == 1 ? 1.0 : 0.0);
  if (seeds_ == 1) return;
  RandomStream random(fmt::format("{}/{}", name_, block), seed_);
  const std::size_t draws = seeds_ - 1;
  for (std::size_t lane = 0; lane < kLanes; ++lane)
    for (std::size_t draw = 0; draw < draws; ++draw)
      weights[lane * seeds_ + random.below(seeds_)] += 1.0 / static_cast<double>(draws);
}

}  // namespace vise
