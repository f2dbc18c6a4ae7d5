#include "datasets/parquet/codecs.h"

#include <fmt/format.h>
#include <snappy-c.h>
#include <zlib.h>
#include <zstd.h>

#include <array>
#include <cstring>
#include <limits>

#include "base/error.h"

namespace vise::datasets::parquet {
namespace {

// By the numbers of CompressionCodec in parquet.thrift.
constexpr std::array<std::string_view, 8> kNames{"uncompressed", "snappy", "gzip", "LZO",
                                                 "Brotli",       "LZ4",    "zstd", "LZ4_RAW"};

[[noreturn]] void refuse(int codec, std::size_t size) {
  throw Error(ErrorKind::input, fmt::format("a page doesn't unpack ({}) to the {} bytes that it claims",
                                            kNames[static_cast<std::size_t>(codec)], size));
}

const char* chars(const std::byte* bytes) { return reinterpret_cast<const char*>(bytes); }

bool unpack_snappy(ByteView packed, std::span<std::byte> out) {
  std::size_t size = 0;
  // The length that the data state is compared with the page header's before anything is written.
  if (::snappy_uncompressed_length(chars(packed.data()), packed.size(), &size) != SNAPPY_OK || size != out.size())
    return false;
  return ::snappy_uncompress(chars(packed.data()), packed.size(), reinterpret_cast<char*>(out.data()), &size) ==
         SNAPPY_OK;
}

// Where the data are damaged the result is an error code, which is larger than any size (zstd.h, ZSTD_isError).
bool unpack_zstd(ByteView packed, std::span<std::byte> out) {
  return ::ZSTD_decompress(out.data(), out.size(), packed.data(), packed.size()) == out.size();
}

// RFC 1952 lets members follow each other, and some writers use it; zlib's own wrapper is read too.
bool unpack_gzip(ByteView packed, std::span<std::byte> out) {
  if (packed.size() > std::numeric_limits<uInt>::max() || out.size() > std::numeric_limits<uInt>::max()) return false;
  z_stream stream{};
  // 32 more than the window's bits: zlib finds out whether gzip's header or its own is there (zlib.h, inflateInit2).
  if (::inflateInit2(&stream, MAX_WBITS + 32) != Z_OK) throw Error(ErrorKind::system, "zlib doesn't start");
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  int status = ::inflate(&stream, Z_FINISH);
  while (status == Z_STREAM_END && stream.avail_in > 0 && ::inflateReset2(&stream, MAX_WBITS + 32) == Z_OK)
    status = ::inflate(&stream, Z_FINISH);
  // The page must be used up and filled exactly: anything else is damage that a length alone would not show.
  const bool whole = status == Z_STREAM_END && stream.avail_in == 0 && stream.avail_out == 0;
  ::inflateEnd(&stream);
  return whole;
}

}  // namespace

// Asked when a column chunk is opened, before any of its pages is read.
void check_codec(int codec) {
  if (codec == kUncompressed || codec == kSnappy || codec == kGzip || codec == kZstd) return;
  const bool known = codec >= 0 && codec < static_cast<int>(kNames.size());
  throw Error(
      ErrorKind::input,
      fmt::format("is packed with {}, which is not read",
                  known ? std::string(kNames[static_cast<std::size_t>(codec)]) : fmt::format("codec {}", codec)),
      "write the file again with zstd, snappy, gzip or none: pyarrow.parquet.write_table(table, file, "
      "compression=\"zstd\")");
}

// Bounds what a page may claim before its memory is allocated: a header of a few bytes
// must not ask for a gigabyte.
std::uint64_t most_unpacked(int codec, std::uint64_t packed) {
  switch (codec) {
    case kUncompressed:
      return packed;
    case kSnappy:
      return packed * 22;  // a copy of 64 bytes takes 3
    case kGzip:
      return packed * 1032;  // deflate's best
    default:
      return packed * (1U << 17);  // a block of 128 KB that is one byte takes 4
  }
}

void unpack(int codec, ByteView packed, std::span<std::byte> out) {
  bool whole = false;
  switch (codec) {
    case kSnappy:
      whole = unpack_snappy(packed, out);
      break;
    case kGzip:
      whole = unpack_gzip(packed, out);
      break;
    case kZstd:
      whole = unpack_zstd(packed, out);
      break;
    default:
      whole = packed.size() == out.size();
      if (whole && !out.empty()) std::memcpy(out.data(), packed.data(), out.size());
  }
  if (!whole) refuse(codec, out.size());
}

}  // namespace vise::datasets::parquet
