// Resamples of a mean over seeds: the training runs of a row are a sample too, and their spread is part of what their
// mean leaves open.
//
//   const std::vector<double> means = seed_mean_replicates(values, replicates, "reports/seeds", 0);
//
// Resamples of the items alone hold the variance from items, and within it what seeds and items do together (one run is
// lucky on these images, another on those). The spread s^2 of the k values over seeds holds that too: so what belongs
// to seeds alone is s^2 - v, v being the variance between seeds of what a resample changes, averaged over resamples.
// Each mean gets a draw from it: k - 1 of the k values with replacement, whose mean has the variance s^2 / k (McCarthy
// and Snowden 1985), scaled by sqrt((s^2 - v) / s^2), or nothing where v is the larger.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace vise {

// values[s]: a metric of seed s on the items themselves; replicates[s][r]: on resample r, NaN where undefined (then the
// mean is too). One seed: its replicates. Equal names and numbers of seeds give equal draws.
std::vector<double> seed_mean_replicates(std::span<const double> values,
                                         std::span<const std::vector<double>> replicates, const std::string& stream,
                                         std::uint64_t seed);

}  // namespace vise
