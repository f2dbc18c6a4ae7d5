#include "base/tar_block.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"

namespace vise {
namespace {

[[noreturn]] void refuse(const std::string& what) { throw Error(ErrorKind::input, "tar: " + what); }

// As in zip.cc.
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
constexpr bool kCheckSums = false;
#else
constexpr bool kCheckSums = true;
#endif

}  // namespace

// A field that is full has no NUL at its end (POSIX ustar), so the size bounds it.
std::string_view tar_text(ByteView block, std::size_t at, std::size_t size) {
  const std::string_view whole(reinterpret_cast<const char*>(block.data()) + at, size);
  return whole.substr(0, whole.find('\0'));
}

// GNU's binary form for sizes beyond 8 GB (its first bit set) is no octal number and is refused.
std::uint64_t tar_octal(ByteView block, std::size_t at, std::size_t size, std::string_view what) {
  std::string_view digits = tar_text(block, at, size);
  // Writers pad numbers with leading blanks or zeros and end them with a blank, a NUL or both.
  while (digits.starts_with(' ')) digits.remove_prefix(1);
  while (digits.ends_with(' ')) digits.remove_suffix(1);
  std::uint64_t value = 0;
  for (const char c : digits) {
    if (c < '0' || c > '7') refuse(fmt::format("a header's {} is no octal number", what));
    value = value * 8 + static_cast<std::uint64_t>(c - '0');  // at most 12 digits
  }
  if (digits.empty()) refuse(fmt::format("a header's {} is empty", what));
  return value;
}

// Of unsigned bytes, as POSIX has it; some old writers summed signed ones, which differs only for names beyond ASCII.
void check_tar_sum(ByteView block) {
  std::uint64_t sum = 0;
  // The sum is taken as if its own eight bytes, 148 to 155, held blanks.
  for (std::size_t i = 0; i < kTarBlock; ++i)
    sum += i >= 148 && i < 156 ? ' ' : std::to_integer<std::uint64_t>(block[i]);
  if (kCheckSums && sum != tar_octal(block, 148, 8, "checksum"))
    refuse("a header's checksum is wrong: the file is damaged");
}

bool is_zero_block(ByteView block) {
  return std::all_of(block.begin(), block.end(), [](std::byte b) { return b == std::byte{0}; });
}

}  // namespace vise
