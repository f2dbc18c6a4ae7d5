// Means over seeds, whose error has two sources: the test images, and the training runs. Intervals and tests of such a
// mean, or of a difference of two, right at every ratio of the two.
//
//   const SeedMean mean = seed_mean(values, replicates);       // or seed_difference(a, b)
//   const SeedTest test = test_seed_mean(mean, 0.95);          // against 0
//
// Images and seeds are crossed: every seed is scored on the same images. With k seeds the mean's variance is v + x: of
// x, the seeds' share (what belongs to a seed alone, and what seed and image do together), s^2 / k is an estimate with
// k - 1 degrees of freedom, s^2 being the variance of the k values (ddof 1). v is the rest, the images' own: the
// variance of the mean over resamples of the images, less the part of it that seeds and images do together (the
// variance over seeds of what a resample changes, over k). v is known well, x badly: with few seeds neither a normal
// nor a t quantile of sqrt(v + x) is right (Satterthwaite's degrees of freedom reject 13 % with two seeds, 8 % with
// three). The half-width h(x / v) sqrt(v) that rejects 5 % whatever the true ratio was solved for numerically, once for
// each number of degrees of freedom from 1 to 4 (as Trickett and Welch 1954 did for two badly known variances); beyond
// 4 Satterthwaite's serve. For 2 to 4 degrees of freedom it is right to 0.1 points. For one, nothing smooth is: it
// stays within 4.1 to 5.9 %.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "reports/statistics/interval.h"

namespace vise::reports {

// The primary metric of a row's seeds on one test set: [seed] on its items, [seed][resample]; NaN where undefined.
struct ResampledSeeds {
  std::vector<double> values;
  std::vector<std::vector<double>> replicates;
};

struct SeedMean {
  double value = 0;
  std::vector<double> replicates;  // of the mean, a resample each; NaN where a seed's is
  double seeds = 0;                // estimated variance of the mean that seeds bring (x); 0 of one seed
  double df = 0;                   // of `seeds`; 0: there is one seed, or all their values are equal
  double together = 0;             // what seeds and images do together, of the variance of `replicates`
};

// As many replicates for every seed.
SeedMean seed_mean(const ResampledSeeds& seeds);
// a - b, paired by resample, and by seed too where both have equally many; one seed against several is paired with
// each.
SeedMean seed_difference(const ResampledSeeds& a, const ResampledSeeds& b);
// The mean of independent ones (folds), which have as many replicates.
SeedMean mean_of(std::span<const SeedMean> parts);
// Their sum with a weight each. A part whose replicates are few has the same in all of them.
SeedMean weighted_sum(std::span<const SeedMean> parts, std::span<const double> weights);

// What images and seeds leave open of it, as a variance; 0 without a resample that is defined.
double variance_of(const SeedMean& mean);

struct SeedTest {
  std::optional<double> p;           // two-sided, of the mean being 0
  std::optional<Interval> interval;  // excludes 0 where p < 1 - level
};

// Nothing for a variance of 0, or without a resample that is defined.
SeedTest test_seed_mean(const SeedMean& mean, double level);

// The critical half-width in units of sqrt(v), at 95 %, of `ratio` = x / v with `df` >= 1 degrees of freedom.
double critical_half_width(double ratio, double df);

}  // namespace vise::reports
