#include "probes/eigenvectors.h"

#include <fmt/format.h>
#include <lapacke.h>

#include "base/error.h"

namespace vise::probes {

// In place: dsyevd overwrites the matrix with its vectors, so that a large Gram matrix is held once.
Eigenvectors eigenvectors(Matrix<double> a, Eigen::UpLoType triangle, const char* of) {
  const int n = static_cast<int>(a.rows());
  Eigenvectors found{Vector(n), std::move(a)};
  // LAPACK sees rows as columns: a lower triangle as the upper one, and the vectors it gives as columns are our rows.
  const char stored = triangle == Eigen::Lower ? 'U' : 'L';
  if (LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', stored, n, found.vectors.data(), n, found.values.data()) != 0)
    throw Error(ErrorKind::system, fmt::format("the {} were not found", of));
  return found;
}

}  // namespace vise::probes
