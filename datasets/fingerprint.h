// What tells a picture again after it was re-encoded, resized or slightly edited, and the search for such pairs.
//
//   const auto pairs = similar_pairs(fingerprints, SimilarOptions{}, context);
//   pairs[0].first, pairs[0].second           // item numbers, first < second
//
// A fingerprint is 64 bits (the signs of the lowest frequencies of a 32 x 32 grey picture: Zauner, "Implementation and
// Benchmarking of Perceptual Image Hash Functions", 2010) and a 16 x 16 grey thumbnail. Bits find candidates, the
// thumbnails' correlation settles them. Made from pixels in extract/images/fingerprint.h; nothing here knows a picture.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "base/log.h"

namespace vise::datasets {

struct Fingerprint {
  std::uint64_t bits = 0;
  std::array<std::uint8_t, 256> thumbnail{};  // 16 x 16 grey values, rows top to bottom
  bool usable = false;                        // false: not read, or so flat that its bits are noise
};

struct SimilarOptions {
  int bits = 6;               // that may differ, at most 7
  double correlation = 0.99;  // of the thumbnails, at least
};

struct SimilarPair {
  std::uint32_t first = 0, second = 0;
  int bits = 0;  // that differ
  double correlation = 0;
};

// Every pair within the bounds, sorted by (first, second). Fingerprints are cut into four words of 16 bits; of a pair
// within 7 bits some word differs in at most one (pigeonhole; Norouzi, Punjani, Fleet, "Fast Search in Hamming Space
// with Multi-Index Hashing", 2012), so that an item is compared with about one in a thousand of the others: half a
// second for 100,000 images, 25 s for a million (one core), which decoding them dwarfs. At most `kMostPartners` pairs
// an item. The result doesn't depend on context.threads.
std::vector<SimilarPair> similar_pairs(std::span<const Fingerprint> prints, const SimilarOptions& options,
                                       const Context& context);

inline constexpr std::size_t kMostPartners = 1000;

// Pearson's correlation of two thumbnails; 0 where one is flat.
double thumbnail_correlation(const Fingerprint& a, const Fingerprint& b);

}  // namespace vise::datasets
