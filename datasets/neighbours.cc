#include "datasets/neighbours.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <numbers>

#include "base/random.h"
#include "base/threads.h"

namespace vise::datasets {
namespace {

// The sign of a random projection is the same for two directions with a chance of 1 less their angle's share of a half
// turn (Charikar, "Similarity Estimation Techniques from Rounding Algorithms", STOC 2002). Twelve signs are a bucket;
// with 32 tables of buckets a near pair hardly misses all of them.
constexpr std::size_t kTables = 32, kBits = 12, kSigns = kTables * kBits;

// Of each table, its bucket: 12 bits.
using Signs = std::array<std::uint16_t, kTables>;

// One projection: +1 or -1 on about sqrt(dim) coordinates, 0 elsewhere (Li, Hastie, Church, "Very Sparse Random
// Projections", KDD 2006), which costs a fraction of a dense one.
struct Projection {
  std::vector<std::uint32_t> plus, minus;
};

std::vector<Projection> draw_projections(std::size_t dim) {
  // The seed is fixed: the same features give the same pairs in every run.
  RandomStream random("neighbours", 0);
  const auto coordinates =
      std::max<std::size_t>(std::min<std::size_t>(dim, 16), static_cast<std::size_t>(std::sqrt(dim)));
  std::vector<Projection> projections(kSigns);
  for (Projection& projection : projections)
    for (std::size_t k = 0; k < coordinates; ++k) {
      auto& side = random.below(2) ? projection.plus : projection.minus;
      side.push_back(static_cast<std::uint32_t>(random.below(dim)));
    }
  return projections;
}

using Rows = std::span<const std::span<const float>>;

// The rows less their mean. Nothing is copied: a row is centred when it is looked at.
class Directions {
 public:
  explicit Directions(Rows rows) : rows_(rows), dim_(rows.front().size()), mean_(dim_), norms_(rows.size()) {
    std::vector<double> sums(dim_);
    for (const std::span<const float> row : rows)
      for (std::size_t j = 0; j < dim_; ++j) sums[j] += row[j];
    for (std::size_t j = 0; j < dim_; ++j) mean_[j] = static_cast<float>(sums[j] / static_cast<double>(size()));
  }

  std::size_t size() const { return rows_.size(); }
  std::size_t dim() const { return dim_; }

  // Must be called for every row, in any order, before cosine().
  Signs look(std::size_t row, const std::vector<Projection>& projections) {
    std::vector<float> centred(dim_);
    double squares = 0;
    for (std::size_t j = 0; j < dim_; ++j) {
      centred[j] = rows_[row][j] - mean_[j];
      squares += double{centred[j]} * centred[j];
    }
    norms_[row] = std::sqrt(squares);
    Signs signs{};
    for (std::size_t k = 0; k < kSigns; ++k) {
      float sum = 0;
      for (const std::uint32_t j : projections[k].plus) sum += centred[j];
      for (const std::uint32_t j : projections[k].minus) sum -= centred[j];
      if (sum > 0) signs[k / kBits] = static_cast<std::uint16_t>(signs[k / kBits] | 1 << (k % kBits));
    }
    return signs;
  }

  // A row that equals the mean points nowhere, and its cosine would be 0 / 0.
  bool has_direction(std::size_t row) const { return norms_[row] > 0; }

  double cosine(std::size_t a, std::size_t b) const {
    const std::span<const float> x = rows_[a], y = rows_[b];
    double product = 0;
    for (std::size_t j = 0; j < dim_; ++j) product += double{x[j] - mean_[j]} * (y[j] - mean_[j]);
    return product / (norms_[a] * norms_[b]);
  }

 private:
  Rows rows_;
  std::size_t dim_;
  std::vector<float> mean_;
  std::vector<double> norms_;
};

// How many of the 384 signs differ.
int distance(const Signs& a, const Signs& b) {
  std::array<std::uint64_t, sizeof(Signs) / 8> x, y;
  std::memcpy(x.data(), a.data(), sizeof a);
  std::memcpy(y.data(), b.data(), sizeof b);
  int bits = 0;
  for (std::size_t w = 0; w < x.size(); ++w) bits += std::popcount(x[w] ^ y[w]);
  return bits;
}

// Signs that may differ for an angle: its share of a half turn, and four standard deviations.
int most_differing(double cosine) {
  const double share = std::acos(std::clamp(cosine, -1.0, 1.0)) / std::numbers::pi;
  return static_cast<int>(kSigns * share + 4 * std::sqrt(kSigns * share * (1 - share))) + 1;
}

struct Search {
  const Directions& directions;
  const std::vector<Signs>& signs;
  double cosine;
  int most_signs;

  // Pairs that share a bucket of `table`; other tables find many of them again.
  std::vector<NeighbourPair> in(std::size_t table) const {
    std::vector<std::pair<std::uint16_t, std::uint32_t>> placed;
    for (std::uint32_t i = 0; i < signs.size(); ++i)
      if (directions.has_direction(i)) placed.emplace_back(signs[i][table], i);
    std::sort(placed.begin(), placed.end());
    std::vector<NeighbourPair> pairs;
    for (std::size_t a = 0; a < placed.size(); ++a) {
      // A bucket of near-equal images could hold half of the set, and its pairs would be quadratic in it.
      const std::size_t end = std::min(placed.size(), a + 1 + kMostInBucket);
      for (std::size_t b = a + 1; b < end && placed[b].first == placed[a].first; ++b)
        try_pair(placed[a].second, placed[b].second, pairs);
    }
    return pairs;
  }

  void try_pair(std::uint32_t a, std::uint32_t b, std::vector<NeighbourPair>& pairs) const {
    // 384 bits in six words tell most pairs apart before the exact product of all dimensions.
    if (distance(signs[a], signs[b]) > most_signs) return;
    if (const double c = directions.cosine(a, b); c >= cosine) pairs.push_back({a, b, c});
  }
};

}  // namespace

std::vector<NeighbourPair> neighbour_pairs(Rows rows, const NeighbourOptions& options, const Context& context) {
  if (rows.empty()) return {};
  Directions directions(rows);
  const std::vector<Projection> projections = draw_projections(directions.dim());
  std::vector<Signs> signs(directions.size());
  parallel_for(context.threads, signs.size(), [&](std::size_t i) { signs[i] = directions.look(i, projections); });
  const Search search{directions, signs, options.cosine, most_differing(options.cosine)};
  std::vector<std::vector<NeighbourPair>> found(kTables);
  parallel_for(context.threads, kTables, [&](std::size_t table) {
    context.throw_if_stopped();
    found[table] = search.in(table);
  });
  std::vector<NeighbourPair> pairs;
  for (const auto& of_table : found) pairs.insert(pairs.end(), of_table.begin(), of_table.end());
  const auto key = [](const NeighbourPair& pair) { return std::pair(pair.first, pair.second); };
  std::ranges::sort(pairs, {}, key);
  // Not std::ranges::unique: clang 14, which builds the fuzz targets, can't read libstdc++ 12's.
  pairs.erase(std::unique(pairs.begin(), pairs.end(), [&](const auto& a, const auto& b) { return key(a) == key(b); }),
              pairs.end());
  return pairs;
}

}  // namespace vise::datasets
