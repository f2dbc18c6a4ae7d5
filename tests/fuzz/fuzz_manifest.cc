// Any bytes as a table that names images: a data set whose parts fit together, or an Error. The first byte says whether
// the rest is CSV, TSV or JSONL. Seeds: seeds.sh.
#include <array>
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "datasets/manifest.h"
#include "tests/fuzz/memory_folder.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  static const vise::fuzz::MemoryFolder folder;
  constexpr std::array names{"table.csv", "table.tsv", "table.jsonl"};
  const vise::Path table =
      folder.put(names[data[0] % names.size()], std::string_view(reinterpret_cast<const char*>(data) + 1, size - 1));
  try {
    vise::Silent log;
    const vise::datasets::Dataset dataset = vise::datasets::read_manifest(table, log);
    dataset.check();
    for (const auto& [name, targets] : dataset.targets)
      if (targets.size() != dataset.size()) std::abort();
    for (const auto& [name, texts] : dataset.attributes)
      if (texts.size() != dataset.size()) std::abort();
  } catch (const vise::Error& error) {
    if (error.kind() != vise::ErrorKind::input && error.kind() != vise::ErrorKind::missing) std::abort();
  }
  return 0;
}
