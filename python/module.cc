// vise_eval._core: the rooms for Python, a file a room. The package's own modules (vise_eval/*.py) are what users see.
#include <dlfcn.h>
#include <pybind11/pybind11.h>

#include "base/module.h"
#include "base/version.h"
#include "datasets/dataset.h"
#include "datasets/dataset_registry.h"
#include "probes/builtin.h"
#include "probes/probe.h"
#include "python/bind.h"
#include "python/errors.h"

namespace {

// Any address of this module, by which dladdr() finds the file.
const int kHere = 0;

// Where a build has the modules of LibTorch and OpenCV: above the package. Installed, they are where the program looks.
vise::Path build_folder() {
  Dl_info info{};
  if (::dladdr(&kHere, &info) == 0 || !info.dli_fname) return {};
  return vise::Path(info.dli_fname).parent_path().parent_path().parent_path();
}

}  // namespace

PYBIND11_MODULE(_core, core) {
  vise::Module::also_look_in(build_folder());
  // Called explicitly, as in the program (cli/program.cc).
  vise::datasets::register_builtin_datasets(vise::datasets::DatasetRegistry::instance());
  vise::probes::register_builtin_probes(vise::probes::ProbeRegistry::instance());
  // Before anything is bound, so that whatever fails from here on reaches Python as a class of vise_eval.errors.
  vise::python::translate_errors();
  vise::python::bind_checkpoints(core);
  vise::python::bind_features(core);
  vise::python::bind_images(core);
  vise::python::bind_probes(core);
  vise::python::bind_tables(core);
  core.attr("version") = vise::kVersion;
}
