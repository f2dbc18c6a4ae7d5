// Small pictures for pages: a square from the middle of an image, as a data URI.
#pragma once

#include <string>

#include "base/file.h"

namespace vise {

// "data:image/webp;base64,..." of side x side pixels, about 2 kB at 96, of an image file's bytes. Error{input} with
// `name` for an image that can't be read.
std::string thumbnail_uri(ByteView image, const std::string& name, unsigned side);

// RFC 4648, with padding.
std::string base64(ByteView bytes);

}  // namespace vise
