// Which seeds count in a resample: the training runs of a row are a sample too, and their spread is part of what a mean
// over them leaves open.
//
//   SeedDraws(5, "reports/seeds", 0).block(0, weights);   // weights[lane * 5 + seed], each lane summing to 1
//
// Of k seeds k - 1 are drawn with replacement: then the variance of a resampled mean is s^2 / k, the unbiased estimate
// (k draws would give (k - 1) / k of it; McCarthy and Snowden 1985). One seed always has weight 1. Rows of equally many
// seeds see the same draws, so differences stay paired by seed.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace vise {

class SeedDraws {
 public:
  SeedDraws(std::size_t seeds, std::string stream_name, std::uint64_t seed);

  // kLanes x seeds, row-major: row r is resample block * kLanes + r.
  void block(std::size_t block, std::span<double> weights) const;

 private:
  std::size_t seeds_;
  std::string name_;
  std::uint64_t seed_;
};

}  // namespace vise
