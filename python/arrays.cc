#include "python/arrays.h"

#include <fmt/format.h>

#include <limits>
#include <numeric>

#include "base/error.h"

namespace vise::python {

// `what` is the argument's name, as the user of the Python function knows it.
void check_matrix(const py::array& array, std::string_view what) {
  if (array.ndim() != 2)
    throw Error(ErrorKind::input, fmt::format("{}: an array of 2 dimensions is needed, not {}", what, array.ndim()));
  if (array.shape(0) == 0 || array.shape(1) == 0)
    throw Error(ErrorKind::input, fmt::format("{}: {} x {} has no value", what, array.shape(0), array.shape(1)));
  // BLAS counts rows and columns in int.
  if (array.shape(0) > std::numeric_limits<int>::max() || array.shape(1) > std::numeric_limits<int>::max())
    throw Error(ErrorKind::input, fmt::format("{}: {} x {}: 2,147,483,647 rows and columns at most", what,
                                              array.shape(0), array.shape(1)));
}

MatrixRows::MatrixRows(const FloatMatrix& matrix, std::string_view what) {
  check_matrix(matrix, what);
  values_ = matrix.data();
  dim_ = static_cast<std::size_t>(matrix.shape(1));
  order_.resize(static_cast<std::size_t>(matrix.shape(0)));
  // Rows are asked for by number everywhere; here they are all of them, in their order.
  std::iota(order_.begin(), order_.end(), 0u);
}

py::array_t<double> array_of(probes::Scores scores) {
  // The array takes the vector over: no score is copied.
  const auto rows = static_cast<py::ssize_t>(scores.rows), columns = static_cast<py::ssize_t>(scores.columns);
  return array_of(std::move(scores.values), {rows, columns});
}

}  // namespace vise::python
