#include "reports/table.h"

#include <algorithm>
#include <cmath>

namespace vise::reports {

std::size_t training_images(const TableSection& section) {
  const bool all = section.shots == 0 && section.fraction == 1;
  return section.sizes.train + (all ? section.sizes.val : 0);
}

Estimate mean_estimate(const std::vector<double>& values) {
  if (values.empty()) return {};
  double sum = 0;
  for (const double v : values) sum += v;
  Estimate estimate{sum / static_cast<double>(values.size()), {}, {}};
  if (values.size() < 2) return estimate;
  double squares = 0;
  for (const double v : values) squares += (v - *estimate.value) * (v - *estimate.value);
  // The sample's deviation (n - 1): seeds are a sample of all that could be drawn.
  estimate.deviation = std::sqrt(squares / static_cast<double>(values.size() - 1));
  return estimate;
}

// Linear search: a table has few different footnotes, and their order is that of their first use.
int add_footnote(ComparisonTable& table, const std::string& text) {
  auto found = std::ranges::find(table.footnotes, text);
  if (found == table.footnotes.end()) found = table.footnotes.insert(found, text);
  return static_cast<int>(found - table.footnotes.begin()) + 1;
}

}  // namespace vise::reports
