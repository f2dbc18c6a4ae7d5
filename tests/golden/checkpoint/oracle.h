// Oracles in Python: scripts of this folder that write weights, inputs and what PyTorch makes of them.
#pragma once

#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/hash.h"

namespace vise::test {

inline std::vector<float> floats_of(const Path& file) {
  const std::string bytes = read_text_file(file);
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

inline double relative_error(std::span<const float> ours, std::span<const float> theirs) {
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < theirs.size(); ++i) {
    difference += (static_cast<double>(ours[i]) - theirs[i]) * (static_cast<double>(ours[i]) - theirs[i]);
    norm += static_cast<double>(theirs[i]) * theirs[i];
  }
  return std::sqrt(difference / norm);
}

// What a script writes, kept in the build folder for this version of it: PyTorch takes its time. None where Debian's
// python3 lacks `module`.
inline std::optional<Path> oracle_folder(const std::string& script_name, const std::string& module) {
  const Path script = Path(VISE_SOURCE_DIR) / "tests/golden/checkpoint" / script_name;
  const Path folder =
      Path(VISE_BINARY_DIR) / (script.stem().string() + "-" + sha256_hex(read_text_file(script)).substr(0, 16));
  if (std::filesystem::exists(folder)) return folder;
  const Path making = folder.string() + "." + std::to_string(::getpid());
  std::filesystem::create_directories(making);
  const bool made = std::system(("/usr/bin/python3 -c 'import " + module + "' 2>/dev/null").c_str()) == 0 &&
                    std::system((script.string() + " " + making.string()).c_str()) == 0;
  std::error_code lost;  // to another test that made it meanwhile
  if (made) std::filesystem::rename(making, folder, lost);
  std::filesystem::remove_all(making, lost);
  if (!made) return std::nullopt;
  return folder;
}

}  // namespace vise::test
