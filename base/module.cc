#include "base/module.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <atomic>
#include <system_error>

#include "base/error.h"
#include "base/process.h"

namespace vise {

// The words of errors differ with the library, so they come with its name.
struct Module::Kind {
  const char *file, *library;
  const char *hint_of_library, *hint_of_build;  // what to do where the loader or the build lacks it
};

namespace {

std::atomic<bool> torch_loaded{false};

// A function's own static: it is there before any object of another file that might call also_look_in().
Path& further_folder() {
  static Path folder;
  return folder;
}

// Beside the executable, where an installation puts it, and where a build tree has it for a test program.
std::vector<Path> places(const char* file) {
  const Path folder = Path(own_executable()).parent_path();
  std::vector<Path> found{folder / file, folder / VISE_MODULE_FROM_PROGRAM / file, folder / "../../.." / file};
  if (!further_folder().empty()) found.push_back(further_folder() / file);
  return found;
}

}  // namespace

Module::Module(const Kind& kind) : kind_(&kind) {
  std::string looked;
  for (const Path& path : places(kind.file)) {
    looked += fmt::format("\n  {}", path.lexically_normal().string());
    std::error_code error;
    // A module that exists but does not load ends the search: the loader's reason (a missing library)
    // is what the user needs, while "not found" would send them looking for the module.
    if (!std::filesystem::exists(path, error)) continue;
    // RTLD_NOW: a symbol that is missing is reported here rather than in the middle of a run.
    // RTLD_LOCAL: a module is reached through its entry points alone.
    handle_ = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle_) return;
    throw Error(ErrorKind::missing, fmt::format("{}: {}", path.string(), ::dlerror()), kind.hint_of_library);
  }
  throw Error(ErrorKind::missing, fmt::format("the {} module was not found; looked for{}", kind.library, looked),
              kind.hint_of_build);
}

const Module& Module::torch() {
  static const Kind kind{
      "vise_torch.so", "LibTorch",
      "install LibTorch (Debian: libtorch1.13), or use the engines and probes that don't need it: --engine onednn",
      "build with -DVISE_TORCH=ON, or use the engines and probes that don't need it: --engine onednn"};
  static const Module module(kind);
  torch_loaded = true;
  return module;
}

const Module& Module::opencv() {
  static const Kind kind{
      "vise_opencv.so", "OpenCV",
      "install OpenCV's networks (Debian: libopencv-dnn406), or give the network's state dict instead of its graph",
      "build with -DVISE_OPENCV=ON, or give the network's state dict instead of its graph"};
  static const Module module(kind);
  return module;
}

void Module::also_look_in(const Path& folder) { further_folder() = folder; }

bool Module::torch_is_loaded() { return torch_loaded; }

void* Module::address(const char* name) const {
  void* const found = ::dlsym(handle_, name);
  if (!found)
    throw Error(ErrorKind::system,
                fmt::format("the {} module lacks '{}': it is of another version", kind_->library, name));
  return found;
}

}  // namespace vise
