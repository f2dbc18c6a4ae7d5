// Any bytes as an archive of images: a data set whose images are read or refused, or an Error. The first byte says
// whether the rest is a file as it is, packed by gzip, or packed by Zstandard: a fuzzer can't guess their checksums.
// Seeds: seeds.sh.
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>

#include "base/error.h"
#include "datasets/dataset.h"

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
  vise::Path put(const char* name, std::string_view bytes) const {
    std::ofstream out(path_ / name, std::ios::binary);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return path_ / name;
  }

 private:
  vise::Path path_;
};

std::string gzip(std::string_view data) {
  std::string packed(::compressBound(data.size()) + 64, '\0');
  z_stream stream{};
  ::deflateInit2(&stream, 1, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  ::deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  ::deflateEnd(&stream);
  return packed;
}

std::string zstd(std::string_view data) {
  std::string packed(::ZSTD_compressBound(data.size()), '\0');
  packed.resize(::ZSTD_compress(packed.data(), packed.size(), data.data(), data.size(), 1));
  return packed;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  static const Folder folder;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const unsigned packing = data[0] % 3;
  const vise::Path file = folder.put(VISE_ARCHIVE_NAME, packing == 1   ? gzip(bytes)
                                                        : packing == 2 ? zstd(bytes)
                                                                       : std::string(bytes));
  try {
    vise::Silent log;
    const vise::Dataset dataset = vise::open_data_path(file, log);
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
