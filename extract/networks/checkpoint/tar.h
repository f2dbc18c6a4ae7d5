// A reader of tar archives that trusts nothing (POSIX.1-1988 ustar; pax extended headers are skipped).
//
// Only regular members are looked at, each bounded by the file; a header's checksum must be right. Links, devices, GNU
// long names and sizes past octal are refused, and so are names given twice. Throws Error{input}.
#pragma once

#include <string_view>
#include <vector>

#include "base/file.h"

namespace vise::networks {

struct TarMember {
  std::string_view name;  // in the file's bytes, without "./"
  ByteView data;
};

std::vector<TarMember> read_tar(ByteView bytes);

}  // namespace vise::networks
