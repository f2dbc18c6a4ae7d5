// Whether tests can run LibTorch.
#pragma once

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/module.h"

namespace vise::test {

// False where the program was built without it; one that was built and can't be opened fails the test.
inline bool have_torch() {
  if (!std::filesystem::exists(Path(VISE_BINARY_DIR) / "vise_torch.so")) return false;
  Module::also_look_in(VISE_BINARY_DIR);
  try {
    Module::torch();
  } catch (const Error& e) {
    ADD_FAILURE() << e.message();
    return false;
  }
  return true;
}

}  // namespace vise::test
