#include "datasets/fingerprint.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <numeric>

#include "base/threads.h"

namespace vise::datasets {
namespace {

// By the pigeonhole principle: if two prints differ in fewer than 8 bits, one of their four words differs in
// at most one. It is enough to look at each word's own bucket and its 16 neighbours, and no pair is missed.
constexpr int kWords = 4, kWordBits = 16;
constexpr std::size_t kBuckets = std::size_t{1} << kWordBits;

// Bits 16 * word to 16 * word + 15.
std::uint32_t word_of(std::uint64_t bits, int word) {
  return static_cast<std::uint32_t>(bits >> (word * kWordBits)) & (kBuckets - 1);
}

// Usable items by the value of one word: those with value v are items[begin[v]] to items[begin[v + 1] - 1], increasing.
// Their bits are stored beside them: a bucket is read in order, not item by item from all over memory.
struct WordIndex {
  std::vector<std::uint32_t> begin = std::vector<std::uint32_t>(kBuckets + 1, 0), items;
  std::vector<std::uint64_t> bits;

  WordIndex(std::span<const Fingerprint> prints, int word) {
    for (const Fingerprint& print : prints)
      // A counting sort: counts, their running sums, then each item to its place.
      if (print.usable) ++begin[word_of(print.bits, word) + 1];
    std::partial_sum(begin.begin(), begin.end(), begin.begin());
    items.resize(begin.back());
    bits.resize(begin.back());
    std::vector<std::uint32_t> next(begin.begin(), begin.end() - 1);
    for (std::uint32_t i = 0; i < prints.size(); ++i) {
      if (!prints[i].usable) continue;
      const std::uint32_t place = next[word_of(prints[i].bits, word)]++;
      items[place] = i;
      bits[place] = prints[i].bits;
    }
  }
};

// Whether an earlier word would have brought the two together as well.
bool met_before(std::uint64_t a, std::uint64_t b, int word) {
  for (int w = 0; w < word; ++w)
    if (std::popcount(word_of(a ^ b, w)) <= 1) return true;
  return false;
}

class PairSearch {
 public:
  PairSearch(std::span<const Fingerprint> prints, const SimilarOptions& options) : prints_(prints), options_(options) {
    for (int word = 0; word < kWords; ++word) index_.emplace_back(prints, word);
  }

  std::vector<SimilarPair> partners_of(std::uint32_t first) const {
    std::vector<SimilarPair> pairs;
    const Fingerprint& print = prints_[first];
    if (!print.usable) return pairs;
    for (int word = 0; word < kWords; ++word) {
      const std::uint32_t value = word_of(print.bits, word);
      add_bucket(first, word, value, pairs);
      for (int bit = 0; bit < kWordBits; ++bit) add_bucket(first, word, value ^ (1U << bit), pairs);
    }
    std::sort(pairs.begin(), pairs.end(),
              [](const SimilarPair& a, const SimilarPair& b) { return a.second < b.second; });
    // Thousands of alike pictures (blank pages, one logo) would be millions of pairs; those with the lowest numbers
    // stay.
    if (pairs.size() > kMostPartners) pairs.resize(kMostPartners);
    return pairs;
  }

 private:
  void add_bucket(std::uint32_t first, int word, std::uint32_t value, std::vector<SimilarPair>& pairs) const {
    const WordIndex& index = index_[static_cast<std::size_t>(word)];
    const auto begin = index.items.begin() + index.begin[value], end = index.items.begin() + index.begin[value + 1];
    const std::uint64_t own = prints_[first].bits;
    // Only partners with a higher number, so that each pair is found from one side.
    for (auto at = std::upper_bound(begin, end, first); at != end; ++at) {
      const std::uint64_t other = index.bits[static_cast<std::size_t>(at - index.items.begin())];
      const int bits = std::popcount(own ^ other);
      // The bits are a cheap filter; what decides is the correlation of the two thumbnails.
      if (bits > options_.bits || met_before(own, other, word)) continue;
      const double correlation = thumbnail_correlation(prints_[first], prints_[*at]);
      if (correlation >= options_.correlation) pairs.push_back({first, *at, bits, correlation});
    }
  }

  std::span<const Fingerprint> prints_;
  SimilarOptions options_;
  std::vector<WordIndex> index_;
};

}  // namespace

double thumbnail_correlation(const Fingerprint& a, const Fingerprint& b) {
  std::int64_t sum_a = 0, sum_b = 0, aa = 0, bb = 0, ab = 0;
  for (std::size_t i = 0; i < a.thumbnail.size(); ++i) {
    const std::int64_t x = a.thumbnail[i], y = b.thumbnail[i];
    sum_a += x;
    sum_b += y;
    aa += x * x;
    bb += y * y;
    ab += x * y;
  }
  const auto n = static_cast<std::int64_t>(a.thumbnail.size());
  // n times the sums of squares about the mean, exact in whole numbers.
  const std::int64_t var_a = n * aa - sum_a * sum_a, var_b = n * bb - sum_b * sum_b;
  // A picture of one grey value is like every other of its kind: no correlation is defined.
  if (var_a == 0 || var_b == 0) return 0;
  return static_cast<double>(n * ab - sum_a * sum_b) /
         std::sqrt(static_cast<double>(var_a) * static_cast<double>(var_b));
}

std::vector<SimilarPair> similar_pairs(std::span<const Fingerprint> prints, const SimilarOptions& options,
                                       const Context& context) {
  // Eight bits and more in four words may differ by two in each, and the search would miss them.
  assert(options.bits < 2 * kWords);
  const PairSearch search(prints, options);
  std::vector<std::vector<SimilarPair>> found(prints.size());
  constexpr std::size_t kBlock = 256;  // an item alone is too little for a thread to fetch
  parallel_for(context.threads, (prints.size() + kBlock - 1) / kBlock, [&](std::size_t block) {
    context.throw_if_stopped();
    for (std::size_t i = block * kBlock; i < std::min(prints.size(), (block + 1) * kBlock); ++i)
      found[i] = search.partners_of(static_cast<std::uint32_t>(i));
  });
  // Joined in the items' order: the result doesn't depend on how threads took turns.
  std::vector<SimilarPair> pairs;
  for (const std::vector<SimilarPair>& of_item : found) pairs.insert(pairs.end(), of_item.begin(), of_item.end());
  return pairs;
}

}  // namespace vise::datasets
