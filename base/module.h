// The loadable module `vise_torch`: LibTorch costs a program 286 shared libraries and half a second, so whatever needs
// it is opened at first use.
//
//   const auto make = Module::torch().symbol<TorchTrunkEntry>("vise_torch_trunk");
//
// Looked for beside the executable, in ../lib/<architecture>/vise-eval (as installed), and three folders up, where a
// build tree has it for tests, and where also_look_in() says. The module stays open until the process ends (LibTorch
// can't be unloaded).
#pragma once

#include <string>
#include <vector>

#include "base/file.h"

namespace vise {

class Module {
 public:
  // Error{missing} with the places looked at and the loader's words.
  static const Module& torch();
  static bool torch_is_loaded();
  // A further place to look for it, for programs installed elsewhere. Call it before the first use.
  static void also_look_in(const Path& folder);

  template <typename Function>
  Function* symbol(const char* name) const {
    return reinterpret_cast<Function*>(address(name));
  }

 private:
  explicit Module(const std::vector<Path>& candidates);
  void* address(const char* name) const;
  void* handle_ = nullptr;
};

}  // namespace vise
