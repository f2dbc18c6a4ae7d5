// Holm's step-down adjustment (1979): controls the chance of any false positive in a family of tests.
#pragma once

#include <optional>
#include <span>
#include <vector>

namespace vise::reports {

// Adjusted p-values in the order of `p`: the running maximum of (m - i + 1) p_(i) over the sorted ones, at most 1. A
// missing one stays missing and doesn't count in m.
std::vector<std::optional<double>> holm(std::span<const std::optional<double>> p);

}  // namespace vise::reports
