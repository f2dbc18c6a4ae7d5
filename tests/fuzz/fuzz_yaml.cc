// Any bytes as a task or study file: one JSON value with lines for its keys, or Error{input}. Seeds: seeds.sh.
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "base/yaml.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const vise::YamlFile file = vise::YamlFile::parse({reinterpret_cast<const char*>(data), size}, "input");
    if (!file.root().is_object()) return 0;
    for (const auto& [key, value] : file.root().items())
      if (file.line("/" + key) < 1) std::abort();
  } catch (const vise::Error& error) {
    if (error.kind() != vise::ErrorKind::input) std::abort();
  }
  return 0;
}
