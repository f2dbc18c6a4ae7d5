// One function a source file of this room: what it adds to vise_eval._core.
#pragma once

#include <pybind11/pybind11.h>

namespace vise::python {

void bind_checkpoints(pybind11::module_& core);
void bind_features(pybind11::module_& core);
void bind_images(pybind11::module_& core);
void bind_probes(pybind11::module_& core);
void bind_tables(pybind11::module_& core);

}  // namespace vise::python
