// Bytes packed by the libraries themselves: zlib's three wrappings and Zstandard.
#pragma once

#include <zlib.h>
#include <zstd.h>

#include <string>
#include <string_view>

namespace vise::test {

// What zlib's windowBits say of the wrapping.
constexpr int kGzip = 16 + MAX_WBITS, kBareDeflate = -MAX_WBITS;

inline std::string deflated(std::string_view data, int wrapping = kBareDeflate) {
  std::string packed(::compressBound(data.size()) + 64, '\0');
  z_stream stream{};
  ::deflateInit2(&stream, 6, Z_DEFLATED, wrapping, 8, Z_DEFAULT_STRATEGY);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  ::deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  ::deflateEnd(&stream);
  return packed;
}

inline std::string gzip(std::string_view data) { return deflated(data, kGzip); }

inline std::string zstd(std::string_view data) {
  std::string packed(::ZSTD_compressBound(data.size()), '\0');
  packed.resize(::ZSTD_compress(packed.data(), packed.size(), data.data(), data.size(), 1));
  return packed;
}

}  // namespace vise::test
