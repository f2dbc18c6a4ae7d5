// vise_eval._core: the rooms for Python, a file a room. The package's own modules (vise_eval/*.py) are what users see.
#include <pybind11/pybind11.h>

#include "base/version.h"
#include "datasets/dataset.h"
#include "probes/probe.h"
#include "python/bind.h"
#include "python/errors.h"

PYBIND11_MODULE(_core, core) {
  vise::register_builtin_datasets(vise::DatasetRegistry::instance());
  vise::register_builtin_probes(vise::ProbeRegistry::instance());
  vise::python::translate_errors();
  vise::python::bind_checkpoints(core);
  vise::python::bind_features(core);
  vise::python::bind_images(core);
  vise::python::bind_probes(core);
  vise::python::bind_tables(core);
  core.attr("version") = vise::kVersion;
}
