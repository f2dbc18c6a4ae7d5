#include "datasets/fingerprint.h"

#include <gtest/gtest.h>

#include <bit>

#include "base/random.h"

namespace vise::datasets {
namespace {

// Fingerprints drawn at random, with copies of earlier ones in which a few bits are turned.
std::vector<Fingerprint> drawn(std::size_t n, std::uint64_t seed) {
  RandomStream random("fingerprint test", seed);
  std::vector<Fingerprint> prints(n);
  for (std::size_t i = 0; i < n; ++i) {
    Fingerprint& print = prints[i];
    if (i > 0 && i % 3 == 0) {
      print = prints[random.below(i)];
      for (std::uint64_t turned = random.below(10); turned > 0; --turned)
        print.bits ^= std::uint64_t{1} << random.below(64);
    } else {
      print.bits = random.below(UINT64_MAX);
      for (std::uint8_t& grey : print.thumbnail) grey = static_cast<std::uint8_t>(random.below(256));
    }
    print.usable = i % 11 != 5;
  }
  return prints;
}

// The oracle compares every two.
std::vector<std::pair<std::uint32_t, std::uint32_t>> by_hand(const std::vector<Fingerprint>& prints,
                                                             const SimilarOptions& options) {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs;
  for (std::uint32_t a = 0; a < prints.size(); ++a)
    for (std::uint32_t b = a + 1; b < prints.size(); ++b)
      if (prints[a].usable && prints[b].usable && std::popcount(prints[a].bits ^ prints[b].bits) <= options.bits &&
          thumbnail_correlation(prints[a], prints[b]) >= options.correlation)
        pairs.emplace_back(a, b);
  return pairs;
}

TEST(SimilarPairs, AreThoseOfTheFullComparison) {
  Silent log;
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const std::vector<Fingerprint> prints = drawn(900, seed);
    for (const int bits : {0, 3, 7}) {
      const SimilarOptions options{bits, 0.95};
      std::vector<std::pair<std::uint32_t, std::uint32_t>> found;
      for (const SimilarPair& pair : similar_pairs(prints, options, {.log = log, .threads = 2})) {
        found.emplace_back(pair.first, pair.second);
        EXPECT_EQ(pair.bits, std::popcount(prints[pair.first].bits ^ prints[pair.second].bits));
      }
      EXPECT_EQ(found, by_hand(prints, options)) << "seed " << seed << ", bits " << bits;
      EXPECT_FALSE(found.empty());
    }
  }
}

TEST(SimilarPairs, NeedThumbnailsThatAgree) {
  std::vector<Fingerprint> prints(2);
  RandomStream random("fingerprint test", 9);
  for (Fingerprint& print : prints) {
    print.usable = true;
    for (std::uint8_t& grey : print.thumbnail) grey = static_cast<std::uint8_t>(random.below(256));
  }
  Silent log;
  EXPECT_TRUE(similar_pairs(prints, {}, {.log = log}).empty());
  prints[1].thumbnail = prints[0].thumbnail;
  EXPECT_EQ(similar_pairs(prints, {}, {.log = log}).size(), 1u);
}

TEST(ThumbnailCorrelation, IgnoresBrightnessAndContrast) {
  Fingerprint a, b;
  for (std::size_t i = 0; i < a.thumbnail.size(); ++i) {
    a.thumbnail[i] = static_cast<std::uint8_t>(i % 100);
    b.thumbnail[i] = static_cast<std::uint8_t>(50 + 2 * (i % 100));
  }
  EXPECT_DOUBLE_EQ(thumbnail_correlation(a, b), 1);
  EXPECT_DOUBLE_EQ(thumbnail_correlation(a, Fingerprint{}), 0);
}

}  // namespace
}  // namespace vise::datasets
