// The loadable modules `vise_torch` and `vise_opencv`: LibTorch costs a program 286 shared libraries and half a second,
// OpenCV's networks two dozen libraries, so whatever needs one is opened at first use.
//
//   const auto make = Module::torch().symbol<TorchTrunkEntry>("vise_torch_trunk");
//
// Looked for beside the executable, in ../lib/<architecture>/vise-eval (as installed), and three folders up, where a
// build tree has it for tests, and where also_look_in() says. A module stays open until the process ends (LibTorch
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
  static const Module& opencv();
  static bool torch_is_loaded();
  // A further place to look for them, for programs installed elsewhere. Call it before the first use.
  static void also_look_in(const Path& folder);

  template <typename Function>
  Function* symbol(const char* name) const {
    return reinterpret_cast<Function*>(address(name));
  }

 private:
  struct Kind;
  explicit Module(const Kind& kind);
  void* address(const char* name) const;
  const Kind* kind_;
  void* handle_ = nullptr;
};

}  // namespace vise
