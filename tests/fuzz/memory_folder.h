// A folder in memory, removed at its end: what is fuzzed is opened by path.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>

#include "base/file.h"

namespace vise::fuzz {

class MemoryFolder {
 public:
  MemoryFolder() {
    std::string name = "/dev/shm/vise-fuzz-XXXXXX";
    if (!::mkdtemp(name.data())) std::abort();
    path_ = name;
  }
  ~MemoryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  MemoryFolder(const MemoryFolder&) = delete;
  MemoryFolder& operator=(const MemoryFolder&) = delete;

  const Path& path() const { return path_; }
  Path put(const char* name, std::string_view bytes) const {
    std::ofstream out(path_ / name, std::ios::binary);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return path_ / name;
  }

 private:
  Path path_;
};

}  // namespace vise::fuzz
