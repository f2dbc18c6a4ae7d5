#include "reports/statistics/wilcoxon.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "reports/statistics/ranks.h"

namespace vise::reports {

Wilcoxon wilcoxon(std::span<const double> differences) {
  constexpr double kZero = 1e-12;
  std::vector<double> sizes, kept;
  for (const double d : differences)
    if (std::fabs(d) > kZero) kept.push_back(d), sizes.push_back(-std::fabs(d));  // the smallest first
  Wilcoxon test{kept.size(), {}, {}};
  if (kept.empty()) return test;
  const std::vector<double> ranks = average_ranks(sizes);
  // Doubled, average ranks are whole numbers: sums are places in a table. chance[s]: of a rank sum s / 2 of plus signs.
  std::vector<double> chance{1};
  std::size_t all = 0, plus = 0;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    const auto rank = static_cast<std::size_t>(std::lround(2 * ranks[i]));
    all += rank;
    if (kept[i] > 0) plus += rank;
    std::vector<double> next(all + 1);
    // Under the null hypothesis each rank is a plus with probability 1/2: the law of the sum
    // is built up rank by rank, exactly, ties included.
    for (std::size_t s = 0; s < chance.size(); ++s) next[s] += chance[s] / 2, next[s + rank] += chance[s] / 2;
    chance = std::move(next);
  }
  const std::size_t smaller = std::min(plus, all - plus);
  double low = 0;
  // Both tails are equal, since the law of the rank sum is symmetric.
  for (std::size_t s = 0; s <= smaller; ++s) low += chance[s];
  test.w = static_cast<double>(smaller) / 2;
  test.p = std::min(1.0, 2 * low);
  return test;
}

// Both of the two extreme signs out of 2^n.
double smallest_wilcoxon_p(std::size_t n) { return n == 0 ? 1 : std::ldexp(1.0, 1 - static_cast<int>(n)); }

}  // namespace vise::reports
