// Wilcoxon's signed-rank test (1945), exact, with ties: do the differences of two models over tasks centre on 0?
//
//   const Wilcoxon test = wilcoxon(differences);      // test.p
#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace vise::reports {

struct Wilcoxon {
  std::size_t n = 0;        // differences that aren't 0
  std::optional<double> w;  // the smaller of the two rank sums; nothing for n = 0
  std::optional<double> p;  // two-sided
};

// Differences within 1e-12 of 0 are left out (Wilcoxon's way), equal sizes share their average rank, and p is exact
// given the ranks: the share of the 2^n signs whose smaller rank sum is as small.
Wilcoxon wilcoxon(std::span<const double> differences);

// The smallest p that n differences could give: 2^(1 - n), where all have one sign.
double smallest_wilcoxon_p(std::size_t n);

}  // namespace vise::reports
