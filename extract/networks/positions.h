// Positions on a grid: tables resized by the three published rules, and the angles of rotary positions.
//
// Both engines take these tables from here; the references are the published networks' own features
// (tests/golden/encoders). Each is computed in double and rounded once.
#pragma once

#include <vector>

#include "extract/networks/op.h"

namespace vise::networks {

// H x W x C: the operation's table for that grid, as it is where it fits. Error{usage} where it doesn't fit and nobody
// said by which rule it is resized.
std::vector<float> positions_for(const Tokens& tokens, int height, int width);

// Cosines and sines, H x W x d each, d a head's channels: place p's channel c becomes x[c] cos[c] + r(x)[c] sin[c],
// where r(x) is (-x2, x1) of halves (x1, x2), or (-x1, x0) of each pair (x0, x1).
struct RopeTable {
  std::vector<float> cos, sin;
};
RopeTable rope_table(const Rope& rope, int height, int width);

}  // namespace vise::networks
