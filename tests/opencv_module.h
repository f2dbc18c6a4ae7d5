// Whether tests can run OpenCV.
#pragma once

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/module.h"

namespace vise::test {

// False where the program was built without it; one that was built and can't be opened fails the test.
inline bool have_opencv() {
  if (!std::filesystem::exists(Path(VISE_BINARY_DIR) / "vise_opencv.so")) return false;
  Module::also_look_in(VISE_BINARY_DIR);
  try {
    Module::opencv();
  } catch (const Error& e) {
    ADD_FAILURE() << e.message();
    return false;
  }
  return true;
}

}  // namespace vise::test
