// What pages are packed with (Compression.md): uncompressed, snappy, gzip, zstd. LZO, Brotli and both LZ4s are refused
// by name.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "base/file.h"

namespace vise::datasets::parquet {

// parquet.thrift, CompressionCodec.
enum Codec : int { kUncompressed = 0, kSnappy = 1, kGzip = 2, kZstd = 6 };

// Error{input} naming a codec that is not read.
void check_codec(int codec);

// The most bytes that `packed` can hold: what a page claims beyond it is refused before anything is allocated.
std::uint64_t most_unpacked(int codec, std::uint64_t packed);

// Fills `out`, or throws Error{input}: bytes that don't unpack, to fewer or to more.
void unpack(int codec, ByteView packed, std::span<std::byte> out);

}  // namespace vise::datasets::parquet
