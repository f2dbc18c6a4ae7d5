// Any bytes as a table that names images: a data set whose parts fit together, or an Error. The first byte says whether
// the rest is CSV, TSV or JSONL. Seeds: seeds.sh.
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <fstream>

#include "base/error.h"
#include "datasets/manifest.h"

namespace {

// A folder in memory, one a process, removed at its end.
class Folder {
 public:
  Folder() {
    std::string name = "/dev/shm/vise-fuzz-XXXXXX";
    if (!::mkdtemp(name.data())) std::abort();
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  vise::Path put(const char* name, std::span<const std::uint8_t> bytes) const {
    const vise::Path file = path_ / name;
    std::ofstream out(file, std::ios::binary);
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    return file;
  }

 private:
  vise::Path path_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  static const Folder folder;
  constexpr std::array names{"table.csv", "table.tsv", "table.jsonl"};
  const vise::Path table = folder.put(names[data[0] % names.size()], std::span(data + 1, size - 1));
  try {
    vise::Silent log;
    const vise::Dataset dataset = vise::read_manifest(table, log);
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
