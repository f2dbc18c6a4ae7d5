// zlib streams inside metadata, inflated to nowhere: only whether they are too large matters. Private to
// extract/decode.
#pragma once

#include <cstdint>
#include <string>

#include "base/file.h"

namespace vise::images {

// The bytes that `compressed` inflates to, as far as it is lawful zlib, or a number above `limit` where it holds more
// than that: what Pillow's _safe_zlib_decompress() finds. `text` receives them if it isn't null.
std::uint64_t inflated_size(ByteView compressed, std::uint64_t limit, std::string* text = nullptr);

}  // namespace vise::images
