// Between numpy's arrays and the rooms' values.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <string_view>
#include <vector>

#include "probes/views.h"

namespace vise::python {

namespace py = pybind11;

// float32, row-major: such an array is read in place, any other real one is copied.
using FloatMatrix = py::array_t<float, py::array::c_style | py::array::forcecast>;
using DoubleMatrix = py::array_t<double, py::array::c_style | py::array::forcecast>;
using IntVector = py::array_t<int, py::array::c_style | py::array::forcecast>;

// Error{input} naming `what` unless the array has two dimensions and at least a row and a column.
void check_matrix(const py::array& array, std::string_view what);

// The rows of a matrix that Python keeps alive.
class MatrixRows {
 public:
  MatrixRows(const FloatMatrix& matrix, std::string_view what);
  probes::FeatureRows rows() const { return {values_, dim_, order_}; }

 private:
  const float* values_;
  std::size_t dim_;
  std::vector<std::uint32_t> order_;
};

// An array that owns `values`, without a copy.
template <typename T>
py::array_t<T> array_of(std::vector<T> values, std::vector<py::ssize_t> shape) {
  auto* const owned = new std::vector<T>(std::move(values));
  const py::capsule owner(owned, [](void* p) { delete static_cast<std::vector<T>*>(p); });
  return py::array_t<T>(std::move(shape), owned->data(), owner);
}

// N x K.
py::array_t<double> array_of(probes::Scores scores);

}  // namespace vise::python
