// Any bytes as an archive of images: a data set whose images are read or refused, or an Error. The first byte says
// whether the rest is a file as it is, packed by gzip, or packed by Zstandard: a fuzzer can't guess their checksums.
// Seeds: seeds.sh.
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "datasets/dataset.h"
#include "datasets/open_data.h"
#include "tests/fuzz/memory_folder.h"
#include "tests/packed_bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  static const vise::fuzz::MemoryFolder folder;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const unsigned packing = data[0] % 3;
  const vise::Path file = folder.put(VISE_ARCHIVE_NAME, packing == 1   ? vise::test::gzip(bytes)
                                                        : packing == 2 ? vise::test::zstd(bytes)
                                                                       : std::string(bytes));
  try {
    vise::Silent log;
    const vise::datasets::Dataset dataset = vise::datasets::open_data_path(file, log);
    for (const auto& [name, targets] : dataset.targets)
      if (targets.size() != dataset.size()) std::abort();
    for (std::size_t i = 0; i < dataset.size(); ++i) {
      try {
        if (dataset.read(i).size() != dataset.identity(i).size) std::abort();
      } catch (const vise::Error& error) {
        if (error.kind() != vise::ErrorKind::input) std::abort();
      }
    }
  } catch (const vise::Error& error) {
    if (error.kind() == vise::ErrorKind::system) std::abort();
  }
  return 0;
}
