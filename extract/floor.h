// Features without a network: what a table's floor rows are made of.
#pragma once

#include <span>
#include <vector>

#include "extract/image.h"

namespace vise {

inline constexpr std::size_t kColourHistogramDim = 8 * 8 * 8;

// The share of pixels in each cell of an 8 x 8 x 8 grid over RGB, red slowest; square roots, so that Euclidean distance
// is Hellinger's. 512 floats that depend on the decoded pixels alone (no resize, no crop).
std::vector<float> colour_histogram(const Image& image);

}  // namespace vise
