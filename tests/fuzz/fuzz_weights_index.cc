// Any bytes as the index of a model in several files: names of files beside it, each tensor once, or Error{input}.
#include <cstdlib>

#include "base/error.h"
#include "extract/networks/checkpoint/folder.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const std::string* before = nullptr;
    const auto entries = vise::networks::parse_weights_index(text);
    for (const vise::networks::ShardOfTensor& entry : entries) {
      if (vise::Path(entry.file).filename() != entry.file || entry.file == "..") std::abort();
      if (before && !(*before < entry.tensor)) std::abort();
      before = &entry.tensor;
    }
  } catch (const vise::Error& error) {
    if (error.kind() != vise::ErrorKind::input) std::abort();
  }
  return 0;
}
