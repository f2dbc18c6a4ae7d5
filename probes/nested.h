// Nested cross-validation, for sets too small to spare a test split: every row is tested once, by a probe that was
// fitted on the other folds and whose hyper-parameters were chosen by cross-validation among those alone.
//
//   const auto folds = nested_cross_validation(*probe, rows, dim, targets, groups, {5, 5, 0}, context);
//   const Scores scores = pooled(folds, tested);   // row i is tested[i], scored by the fold that held it out
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "probes/probe.h"

namespace vise::probes {

struct NestedPlan {
  int outer = 5, inner = 5;
  std::uint64_t seed = 0;  // of both divisions
};

// One outer fold: the rows it held out, their scores in that order, and the probe fitted on all others.
struct NestedFold {
  std::vector<std::uint32_t> rows;
  Scores scores;
  Fitted fitted;
};

// Folds are stratified, and keep groups together where `groups` isn't empty (one a row). Rows without a known target
// are in no fold. Error{usage} for fewer than two folds, Error{input} for fewer rows or groups than folds.
std::vector<NestedFold> nested_cross_validation(const Probe& probe, std::span<const float* const> rows, std::size_t dim,
                                                const datasets::Targets& targets, std::span<const std::string> groups,
                                                const NestedPlan& plan, const Context& context);

// The folds' scores by row, and the rows that have one, in order.
Scores pooled(std::span<const NestedFold> folds, std::vector<std::uint32_t>& rows);

}  // namespace vise::probes
