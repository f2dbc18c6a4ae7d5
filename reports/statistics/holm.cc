#include "reports/statistics/holm.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace vise::reports {

std::vector<std::optional<double>> holm(std::span<const std::optional<double>> p) {
  std::vector<std::pair<double, std::size_t>> order;
  for (std::size_t i = 0; i < p.size(); ++i)
    if (p[i]) order.emplace_back(*p[i], i);
  std::ranges::sort(order);
  std::vector<std::optional<double>> adjusted(p.size());
  double running = 0;
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    // Holm 1979: the k-th smallest p times the number of hypotheses that are left; the running
    // maximum keeps the adjusted values in the order of the raw ones.
    running = std::max(running, std::min(1.0, static_cast<double>(order.size() - rank) * order[rank].first));
    adjusted[order[rank].second] = running;
  }
  return adjusted;
}

}  // namespace vise::reports
