#include "python/errors.h"

#include <pybind11/pybind11.h>

#include "base/error.h"

namespace vise::python {
namespace {

namespace py = pybind11;

// The classes of vise_eval/errors.py, one a kind.
const char* class_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage:
      return "UsageError";
    case ErrorKind::missing:
      return "MissingError";
    case ErrorKind::input:
      return "InputError";
    case ErrorKind::verification:
      return "VerificationError";
    case ErrorKind::interrupted:
      return "Interrupted";
    case ErrorKind::system:
      break;
  }
  return "SystemFailure";
}

}  // namespace

void translate_errors() {
  // Local to this module: another extension in the process keeps its own exceptions. What is no vise::Error is left to
  // pybind11's translators.
  py::register_local_exception_translator([](std::exception_ptr thrown) {
    try {
      if (thrown) std::rethrow_exception(thrown);
    } catch (const Error& e) {
      // Looked up by name when it is needed: errors.py imports nothing of this module, so there is no circle.
      const py::object type = py::module_::import("vise_eval.errors").attr(class_of(e.kind()));
      PyErr_SetObject(type.ptr(), type(e.message(), e.hint()).ptr());
    }
  });
}

}  // namespace vise::python
