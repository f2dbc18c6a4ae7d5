// Bootstrap over test items (Efron 1979): percentile intervals, and p-values of paired differences.
//
//   Resampler draws(strata, "reports/bootstrap", 0);
//   draws.block(0, counts);                       // kLanes resamples: how often each item was drawn
//
// All models of a table see the same resamples, so differences are paired by item. Resample r is the same whatever the
// number of threads: each block has a random stream of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "probes/metrics/weighted.h"
#include "reports/statistics/interval.h"

namespace vise::reports {

// Quantile by linear interpolation between order statistics (numpy's default, type 7). `values` isn't empty; it is
// reordered.
double quantile(std::span<double> values, double q);

// The percentile interval; nothing for no values.
std::optional<Interval> percentile_interval(std::vector<double> values, double level);

// What the resampled differences of two models say. A difference within 1e-12 of 0 counts on both sides.
struct PairedBootstrap {
  std::size_t le = 0, ge = 0;  // differences <= 0, >= 0
  std::optional<double> p;     // min(1, 2 min((1 + le) / (B + 1), (1 + ge) / (B + 1)))
  std::optional<Interval> interval;
};

// `deltas` without those that were undefined.
PairedBootstrap paired_bootstrap(std::span<const double> deltas, double level);

// The interval that inverts paired_bootstrap's p: it excludes 0 exactly where p < 1 - level. Its ends are order
// statistics next to the percentiles; nothing where there are too few deltas for any p to be so small.
std::optional<Interval> inverted_bootstrap(std::span<const double> deltas, double level);

// Draws items with replacement within strata, as many as each has. Thread-safe when const.
class Resampler {
 public:
  // A stratum an item, any integers; equal ones everywhere: a plain bootstrap.
  Resampler(std::span<const int> strata, std::string stream_name, std::uint64_t seed);

  std::size_t items() const { return items_; }
  // Writes items() x kLanes counts, row-major: column r is resample block * kLanes + r; it sums to items().
  void block(std::size_t block, std::span<std::uint16_t> counts) const;

 private:
  std::vector<std::vector<std::uint32_t>> strata_;
  std::size_t items_;
  std::string name_;
  std::uint64_t seed_;
};

}  // namespace vise::reports
