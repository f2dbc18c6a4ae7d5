#include "reports/statistics/seed_means.h"

#include <fmt/format.h>

#include <cassert>
#include <cmath>
#include <numeric>

#include "base/random.h"

namespace vise {
namespace {

double mean_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// With ddof 1.
double variance_of(std::span<const double> values) {
  const double mean = mean_of(values);
  double sum = 0;
  for (const double v : values) sum += (v - mean) * (v - mean);
  return sum / static_cast<double>(values.size() - 1);
}

// How much of the spread over seeds isn't explained by the items: a factor on deviations, 0 to 1.
double own_share(std::span<const double> values, std::span<const std::vector<double>> replicates) {
  const double spread = variance_of(values);
  if (!(spread > 0)) return 0;
  std::vector<double> changes(values.size());
  double sum = 0;
  std::size_t defined = 0;
  for (std::size_t r = 0; r < replicates[0].size(); ++r) {
    for (std::size_t s = 0; s < values.size(); ++s) changes[s] = replicates[s][r] - values[s];
    if (const double variance = variance_of(changes); !std::isnan(variance)) sum += variance, ++defined;
  }
  if (defined == 0) return 0;
  return std::sqrt(std::max(0.0, 1 - sum / static_cast<double>(defined) / spread));
}

}  // namespace

std::vector<double> seed_mean_replicates(std::span<const double> values,
                                         std::span<const std::vector<double>> replicates, const std::string& stream,
                                         std::uint64_t seed) {
  assert(!values.empty() && values.size() == replicates.size());
  const std::size_t seeds = values.size(), draws = seeds - 1;
  if (seeds == 1) return replicates[0];
  const double mean = mean_of(values), share = own_share(values, replicates);
  RandomStream random(fmt::format("{}/{}", stream, seeds), seed);
  std::vector<double> means(replicates[0].size());
  for (std::size_t r = 0; r < means.size(); ++r) {
    double drawn = 0;
    for (std::size_t draw = 0; draw < draws; ++draw) drawn += values[random.below(seeds)];
    for (std::size_t s = 0; s < seeds; ++s) means[r] += replicates[s][r];
    means[r] = means[r] / static_cast<double>(seeds) + share * (drawn / static_cast<double>(draws) - mean);
  }
  return means;
}

}  // namespace vise
