// The inverse of a Cholesky factor in float32, for a preconditioner.
//
// Blocked as LAPACK's spotrf and strtri are, but with the tiles of a step side by side, so that a factor of some
// thousand rows doesn't keep all threads but one waiting. The result doesn't depend on `threads`.
#pragma once

#include <cstddef>
#include <span>

namespace vise {

// `a` (n x n, row-major) holds the lower triangle of a symmetric matrix LL'; it becomes L^-1, zero above the diagonal.
// False, and `a` is lost, where a pivot isn't positive.
bool invert_cholesky_factor(std::span<float> a, std::size_t n, int threads);

}  // namespace vise
