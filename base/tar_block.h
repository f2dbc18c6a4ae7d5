// The fields of a tar archive's header block (POSIX.1-1988 ustar), which readers of weights and of images share.
// Everything throws Error{input}.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/file.h"

namespace vise {

inline constexpr std::size_t kTarBlock = 512;

// A field up to its first NUL.
std::string_view tar_text(ByteView block, std::size_t at, std::size_t size);
// A number in octal digits with blanks around; `what` names it in the error.
std::uint64_t tar_octal(ByteView block, std::size_t at, std::size_t size, std::string_view what);
// The sum of the block's bytes, its own field counted as blanks.
void check_tar_sum(ByteView block);
bool is_zero_block(ByteView block);

}  // namespace vise
