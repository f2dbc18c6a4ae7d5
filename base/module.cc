#include "base/module.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <atomic>
#include <system_error>

#include "base/error.h"
#include "base/process.h"

namespace vise {
namespace {

constexpr const char* kFile = "vise_torch.so";
std::atomic<bool> torch_loaded{false};

Path& further_folder() {
  static Path folder;
  return folder;
}

// Beside the executable, where an installation puts it, and where a build tree has it for a test program.
std::vector<Path> places() {
  const Path folder = Path(own_executable()).parent_path();
  std::vector<Path> found{folder / kFile, folder / VISE_MODULE_FROM_PROGRAM / kFile, folder / "../../.." / kFile};
  if (!further_folder().empty()) found.push_back(further_folder() / kFile);
  return found;
}

}  // namespace

Module::Module(const std::vector<Path>& candidates) {
  std::string looked;
  for (const Path& path : candidates) {
    looked += fmt::format("\n  {}", path.lexically_normal().string());
    std::error_code error;
    if (!std::filesystem::exists(path, error)) continue;
    handle_ = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle_) return;
    throw Error(
        ErrorKind::missing, fmt::format("{}: {}", path.string(), ::dlerror()),
        "install LibTorch (Debian: libtorch1.13), or use the engines and probes that don't need it: --engine onednn");
  }
  throw Error(ErrorKind::missing, fmt::format("the LibTorch module was not found; looked for{}", looked),
              "build with -DVISE_TORCH=ON, or use the engines and probes that don't need it: --engine onednn");
}

const Module& Module::torch() {
  static const Module module(places());
  torch_loaded = true;
  return module;
}

void Module::also_look_in(const Path& folder) { further_folder() = folder; }

bool Module::torch_is_loaded() { return torch_loaded; }

void* Module::address(const char* name) const {
  void* const found = ::dlsym(handle_, name);
  if (!found)
    throw Error(ErrorKind::system, fmt::format("the LibTorch module lacks '{}': it is of another version", name));
  return found;
}

}  // namespace vise
