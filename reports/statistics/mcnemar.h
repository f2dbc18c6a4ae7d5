// McNemar's test: do two classifiers differ, judged by the items that only one of them gets right?
//
//   const McNemar test = mcnemar(right_a, right_b);   // test.p_exact
//
// b items only A got right, c only B; n = b + c, m = min(b, c). McNemar 1947; mid-p: Fagerland, Lydersen, Laake 2013.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "reports/statistics/interval.h"

namespace vise::reports {

struct McNemar {
  std::uint64_t b = 0, c = 0;
  double p_exact = 1;            // min(1, 2 P[Bin(n, 1/2) <= m])
  double p_mid = 1;              // 2 P[<= m] - P[= m]
  double chi2_continuity = 0;    // max(0, |b - c| - 1)^2 / n; 0 for n = 0
  double p_chi2_continuity = 1;  // one degree of freedom
};

McNemar mcnemar(std::uint64_t only_a, std::uint64_t only_b);
// An item a place, 1 = right; the spans are equally long.
McNemar mcnemar(std::span<const std::uint8_t> right_a, std::span<const std::uint8_t> right_b);

// Of the difference of the two accuracies, (b - c) / items, so that it excludes 0 exactly where p_exact < 1 - level.
//
// Given how many images only one of the two gets right, the test is of b among b + c; Clopper and Pearson's limits of
// that share, times (b + c) / items, invert it. They take b + c as known, so each end is moved out for the error of
// b + c as well (limits of a product from limits of its factors: Donner and Zou 2012), but never across 0. Nothing
// where no image distinguishes the two.
std::optional<Interval> mcnemar_interval(const McNemar& test, std::uint64_t items, double level);

}  // namespace vise::reports
