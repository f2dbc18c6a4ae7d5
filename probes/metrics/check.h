// The checks that every metric begins with. Private to the metrics' sources.
#pragma once

#include <cstddef>
#include <span>

#include "probes/matrix.h"

namespace vise::probes::metrics {

// Error{input} unless there is at least one row and `have` equals `want`.
void expect_length(std::size_t rows, std::size_t have, std::size_t want);
// Error{input} naming the row of the first number that is not finite.
void expect_finite(const ConstRef<double>& values);
// Error{input} naming the row of a label outside 0..classes-1.
void expect_labels(std::span<const int> labels, std::size_t classes);
// All three, for N x C scores.
void expect_scores(const ConstRef<double>& scores, std::span<const int> truth);

}  // namespace vise::probes::metrics
