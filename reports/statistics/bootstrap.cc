#include "reports/statistics/bootstrap.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <map>

#include "base/random.h"

namespace vise::reports {

double quantile(std::span<double> values, double q) {
  assert(!values.empty());
  // numpy's default quantile: linear between the order statistics (Hyndman & Fan's type 7),
  // by selection and without sorting all.
  const double place = static_cast<double>(values.size() - 1) * q;
  const std::size_t below = static_cast<std::size_t>(place);
  std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(below));
  const double low = values[below];
  if (below + 1 == values.size()) return low;
  const double high = *std::ranges::min_element(values.subspan(below + 1));
  return low + (place - static_cast<double>(below)) * (high - low);
}

std::optional<Interval> percentile_interval(std::vector<double> values, double level) {
  if (values.empty()) return std::nullopt;
  // The second call selects in what the first one reordered, which changes no quantile.
  const double low = quantile(values, (1 - level) / 2);
  return Interval{low, quantile(values, 1 - (1 - level) / 2)};
}

PairedBootstrap paired_bootstrap(std::span<const double> deltas, double level) {
  constexpr double kZero = 1e-12;
  PairedBootstrap result;
  if (deltas.empty()) return result;
  for (const double d : deltas) {
    result.le += d <= kZero;
    result.ge += d >= -kZero;
  }
  // One is added to both counts (Davison & Hinkley 1997, section 4.2.5): no number of
  // resamples proves a p of 0.
  const double least = static_cast<double>(1 + std::min(result.le, result.ge));
  result.p = std::min(1.0, 2 * least / static_cast<double>(deltas.size() + 1));
  result.interval = percentile_interval({deltas.begin(), deltas.end()}, level);
  return result;
}

std::optional<Interval> inverted_bootstrap(std::span<const double> deltas, double level) {
  // Differences of accuracies are multiples of 1/n that rounding moves; those of 0 must count on both sides.
  constexpr double kZero = 1e-12;
  // p < 1 - level where fewer than `most` differences are on the other side of 0.
  const double most = std::ceil((1 - level) * static_cast<double>(deltas.size() + 1) / 2 - 1e-9) - 1;
  // So few resamples can't reach this level, so no interval would be consistent with the test.
  if (most < 1) return std::nullopt;
  // The `most`-th smallest and the `most`-th largest difference: 0 outside of them means fewer than `most` on its far
  // side.
  const auto place = static_cast<std::size_t>(most) - 1;
  std::vector<double> values(deltas.begin(), deltas.end());
  std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(place));
  double low = values[place];
  std::ranges::nth_element(values, values.end() - static_cast<std::ptrdiff_t>(place) - 1);
  double high = values[values.size() - 1 - place];
  // A difference within kZero of 0 counts on both sides.
  if (std::fabs(low) <= kZero) low = 0;
  if (std::fabs(high) <= kZero) high = 0;
  return Interval{low, high};
}

Resampler::Resampler(std::span<const int> strata, std::string stream_name, std::uint64_t seed)
    : items_(strata.size()), name_(std::move(stream_name)), seed_(seed) {
  // A map, so that strata are in the order of their values whatever the order of the items.
  std::map<int, std::vector<std::uint32_t>> members;
  for (std::size_t i = 0; i < strata.size(); ++i) members[strata[i]].push_back(static_cast<std::uint32_t>(i));
  for (auto& [stratum, items] : members) strata_.push_back(std::move(items));
}

// Two draws from each 64 random bits, by multiplication: its bias, items / 2^32, is far below what any test could see.
void Resampler::block(std::size_t block, std::span<std::uint16_t> counts) const {
  assert(counts.size() == probes::kLanes * items_);
  // A stream a block: blocks can be drawn on any thread and in any order.
  RandomStream random(fmt::format("{}/{}", name_, block), seed_);
  std::ranges::fill(counts, std::uint16_t{0});
  for (std::size_t lane = 0; lane < probes::kLanes; ++lane)
    // Within classes, so that every resample has the test set's class frequencies and no class can vanish.
    for (const std::vector<std::uint32_t>& stratum : strata_) {
      const auto draw = [&](std::uint64_t bits) {
        // bits is below 2^32, so the product's upper half is an index below the stratum's size (Lemire 2019, without
        // rejection).
        ++counts[stratum[bits * stratum.size() >> 32] * probes::kLanes + lane];
      };
      for (std::size_t i = 0; i < stratum.size(); i += 2) {
        const std::uint64_t bits = random.next();
        draw(bits >> 32);
        if (i + 1 < stratum.size()) draw(bits & 0xFFFFFFFF);
      }
    }
}

}  // namespace vise::reports
