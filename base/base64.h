// Bytes as text, for data URIs: RFC 4648 with padding, in one line.
#pragma once

#include <string>

#include "base/file.h"

namespace vise {

std::string base64(ByteView bytes);

}  // namespace vise
