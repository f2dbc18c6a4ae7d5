// Files written as tests write hundreds of them: without the syncs of write_file_atomically().
#pragma once

#include <fstream>
#include <string_view>

#include "base/file.h"

namespace vise::test {

inline void write_plainly(const Path& path, std::string_view bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

}  // namespace vise::test
