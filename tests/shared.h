// Where tests find reference data, and scratch folders that clean up after themselves.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "base/file.h"
#include "base/random.h"

namespace vise::test {

inline Path shared_dir() { return Path(VISE_SHARED_DIR); }
// Small reference data of our own, always there (make_pack.py); files and formats as those of ../shared.
inline Path golden_pack() { return Path(VISE_SOURCE_DIR) / "tests/golden/pack"; }
inline bool have_shared() { return std::filesystem::exists(shared_dir() / "data"); }

// A folder of its own below the system's temporary folder, removed at the end of the test.
class ScratchDir {
 public:
  ScratchDir() {
    std::string name = (std::filesystem::temp_directory_path() / "vise-test-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw_errno("cannot make", name);
    path_ = name;
  }
  ~ScratchDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchDir(const ScratchDir&) = delete;
  ScratchDir& operator=(const ScratchDir&) = delete;
  const Path& path() const { return path_; }
  Path operator/(const Path& name) const { return path_ / name; }

 private:
  Path path_;
};

}  // namespace vise::test

// First line of a test that needs ../shared.
#define VISE_NEEDS_SHARED() \
  if (!vise::test::have_shared()) GTEST_SKIP() << "skipped: ../shared not found"
