#include "extract/images/decode/zlib_text.h"

#include <zlib.h>

#include <algorithm>

#include <string>
#include <vector>

namespace vise::images {

std::uint64_t inflated_size(ByteView compressed, std::uint64_t limit, std::string* text) {
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return 0;
  std::vector<Bytef> piece(65536);
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(compressed.data()));
  // A chunk's length has 32 bits, so this loses nothing.
  stream.avail_in = static_cast<uInt>(compressed.size());
  std::uint64_t total = 0;
  int status = Z_OK;
  // Counted piece by piece and kept only if somebody wants it: a megabyte of text may come from a few bytes.
  while (status == Z_OK && total < limit) {
    const auto room = static_cast<uInt>(std::min<std::uint64_t>(piece.size(), limit - total));
    stream.next_out = piece.data();
    stream.avail_out = room;
    status = inflate(&stream, Z_SYNC_FLUSH);
    const uInt got = room - stream.avail_out;
    total += got;
    if (text) text->append(reinterpret_cast<const char*>(piece.data()), got);
  }
  // Pillow's decompressobj stops at the limit and calls it an error if input is left over.
  const bool more = status == Z_OK && total >= limit && stream.avail_in > 0;
  inflateEnd(&stream);
  // Text that is damaged is dropped and the picture is read all the same.
  // Z_BUF_ERROR is input that ends early: decompressobj gives what there was.
  if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) return 0;
  return more ? limit + 1 : total;
}

}  // namespace vise::images
