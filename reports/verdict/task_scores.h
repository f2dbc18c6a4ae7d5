// What the verdict takes from one task's evidence: each backbone's resampled score, its gain over the baseline with the
// error of images and training runs, and the metric's floor and ceiling.
#pragma once

#include <optional>
#include <vector>

#include "reports/evidence.h"

namespace vise::reports {

// The gain of a section's row over the row it is compared with. Nothing where scores or the metric can't be resampled.
std::optional<SeedMean> gain_of(const TableSection& section, const SectionEvidence& evidence, std::size_t row);

// The row's primary metric in `resamples` of the test images and, of several training runs, of those too (k runs drawn
// from k, their deviations times sqrt(k / (k - 1)), so that the spread is that of a mean of k). Rows of a section share
// the draws. Empty where there are none.
std::vector<double> resampled_scores(const TableSection& section, const SectionEvidence& evidence, std::size_t row,
                                     std::size_t resamples);

// Of the primary metric on the section's test images: what the best constant guess scores (their class shares, mean
// votes or mean value, without a look at them), and what the truth does. Nothing where that is undefined, or they are
// equal, or no scores were kept. A correlation that a constant leaves undefined has the floor 0.
struct MetricRange {
  double floor = 0, ceiling = 1;
};
std::optional<MetricRange> range_of(const std::string& metric, const datasets::Targets& targets);

// The covariance of gains of two tasks that share test images, by the jackknife: sum over shared images of the product
// of what each image does to either gain. 0 where they share none.
double shared_covariance(const std::vector<double>& a, const std::vector<std::string>& a_ids,
                         const std::vector<double>& b, const std::vector<std::string>& b_ids);

// What each test image does to a row's score, (n - 1) / n (score - score without it), less its class's mean, as
// resamples are drawn within classes. A gain's are the row's less the baseline's.
std::vector<double> influences(const TableSection& section, const SectionEvidence& evidence, std::size_t row);

}  // namespace vise::reports
