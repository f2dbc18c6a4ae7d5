// vise_eval.read_checkpoint: a weights file as arrays.
#include <fmt/format.h>
#include <pybind11/stl.h>

#include "base/error.h"
#include "extract/networks/checkpoint/read_checkpoint.h"
#include "extract/networks/checkpoint/state_dict.h"
#include "python/arrays.h"
#include "python/bind.h"

namespace vise::python {
namespace {

// numpy's letter; bfloat16 has none.
const char* numpy_name(networks::DType dtype) {
  switch (dtype) {
    case networks::DType::f64:
      return "f8";
    case networks::DType::f32:
      return "f4";
    case networks::DType::f16:
      return "f2";
    case networks::DType::i64:
      return "i8";
    case networks::DType::i32:
      return "i4";
    case networks::DType::i16:
      return "i2";
    case networks::DType::i8:
      return "i1";
    case networks::DType::u8:
      return "u1";
    case networks::DType::boolean:
      return "?";
    case networks::DType::complex64:
      return "c8";
    case networks::DType::complex128:
      return "c16";
    case networks::DType::bf16:
      break;
  }
  return nullptr;
}

// A read-only view of the mapped file, which lives as long as the array does; bfloat16 is widened to float32.
py::array array_of_tensor(const networks::Tensor& tensor) {
  const std::vector<py::ssize_t> shape(tensor.shape.begin(), tensor.shape.end());
  py::array array;
  if (const char* const name = numpy_name(tensor.dtype)) {
    const auto size = static_cast<py::ssize_t>(networks::dtype_size(tensor.dtype));
    std::vector<py::ssize_t> strides;
    // numpy counts strides in bytes, PyTorch in elements.
    for (const std::int64_t stride : tensor.strides) strides.push_back(static_cast<py::ssize_t>(stride) * size);
    // numpy frees the capsule with the last array that views the file, and the mapping goes with it.
    const py::capsule owner(new std::shared_ptr<const void>(tensor.owner),
                            [](void* p) { delete static_cast<std::shared_ptr<const void>*>(p); });
    const std::byte* const begin = tensor.storage.data() + tensor.offset * size;
    array = py::array(py::dtype(name), shape, strides, begin, owner);
  } else {
    array = array_of(tensor.to_floats(), shape);
  }
  // The file is mapped read-only, and other tensors may share the storage.
  array.attr("setflags")(py::arg("write") = false);
  return array;
}

py::dict read(const std::string& path, bool skip_foreign) {
  networks::Checkpoint checkpoint;
  // Reading hashes the file and may take seconds; other threads of Python go on meanwhile. No Python object is touched
  // in it.
  {
    const py::gil_scoped_release released;
    checkpoint = networks::read_checkpoint(path, {.skip_foreign = skip_foreign});
  }
  py::dict arrays;
  for (const networks::NamedTensor& named : checkpoint.tensors) {
    const py::str name(named.name);
    // A pickle may hold one tensor under one name in two places. A dict would keep the last of them and say nothing.
    if (arrays.contains(name))
      throw Error(ErrorKind::input, fmt::format("{}: two tensors are called '{}'", path, named.name));
    arrays[name] = array_of_tensor(named.tensor);
  }
  return arrays;
}

}  // namespace

void bind_checkpoints(py::module_& core) {
  core.def("read_checkpoint", &read, py::arg("path"), py::arg("skip_foreign"));
}

}  // namespace vise::python
