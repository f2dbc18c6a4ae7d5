// Items whose features point the same way: the same picture cropped, recoloured or redrawn, which fingerprint.h can't
// see.
//
//   const auto pairs = neighbour_pairs(rows, NeighbourOptions{}, context);
//   pairs[0].first, pairs[0].second           // row numbers, first < second
//
// Features come from anywhere (extract/features/features.h): nothing here knows a network. They are centred first,
// since averages of rectified maps all point into one octant and have high cosines whatever they show.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/log.h"

namespace vise::datasets {

struct NeighbourOptions {
  double cosine = 0.85;  // of the centred rows, at least: where ResNet-50 puts most crops of one picture
};

struct NeighbourPair {
  std::uint32_t first = 0, second = 0;
  double cosine = 0;
};

// N rows of equal length, to pairs sorted by (first, second). Rows without a direction (all equal to the mean)
// have no neighbours. Not quadratic: signs of sparse random projections (Charikar, "Similarity Estimation Techniques
// from Rounding Algorithms", 2002; Li, Hastie, Church, "Very Sparse Random Projections", 2006) put rows into buckets of
// 32 tables; candidates are thinned by the Hamming distance of all 384 signs, and their cosine is computed. A pair at
// the default bound shares some bucket with a probability of 0.96, a nearer one almost surely. Of a bucket's row at
// most `kMostInBucket` others are tried. The result depends neither on context.threads nor on the machine but for the
// last bits of the cosine.
std::vector<NeighbourPair> neighbour_pairs(std::span<const std::span<const float>> rows,
                                           const NeighbourOptions& options, const Context& context);

inline constexpr std::size_t kMostInBucket = 2000;

}  // namespace vise::datasets
