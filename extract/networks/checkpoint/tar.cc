#include "extract/networks/checkpoint/tar.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"

namespace vise {
namespace {

constexpr std::size_t kBlock = 512, kMaxMembers = 1000;

[[noreturn]] void refuse(const std::string& what) { throw Error(ErrorKind::input, "tar: " + what); }

// A field up to its first NUL.
std::string_view field(ByteView header, std::size_t at, std::size_t size) {
  const std::string_view whole(reinterpret_cast<const char*>(header.data()) + at, size);
  return whole.substr(0, whole.find('\0'));
}

std::uint64_t octal(ByteView header, std::size_t at, std::size_t size, std::string_view what) {
  std::string_view digits = field(header, at, size);
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

// As in zip.cc.
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
constexpr bool kCheckSums = false;
#else
constexpr bool kCheckSums = true;
#endif

// The sum of the header's bytes, its own field counted as blanks.
void check_sum(ByteView header) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < kBlock; ++i) sum += i >= 148 && i < 156 ? ' ' : std::to_integer<std::uint64_t>(header[i]);
  if (kCheckSums && sum != octal(header, 148, 8, "checksum"))
    refuse("a header's checksum is wrong: the file is damaged");
}

bool is_zero(ByteView block) {
  return std::all_of(block.begin(), block.end(), [](std::byte b) { return b == std::byte{0}; });
}

}  // namespace

std::vector<TarMember> read_tar(ByteView bytes) {
  std::vector<TarMember> members;
  for (std::size_t headers = 0; bytes.size() >= kBlock && !is_zero(bytes.subspan(0, kBlock)); ++headers) {
    if (headers > kMaxMembers) refuse(fmt::format("more than {} members", kMaxMembers));
    const ByteView header = bytes.subspan(0, kBlock);
    check_sum(header);
    const std::uint64_t size = octal(header, 124, 12, "size");
    bytes = bytes.subspan(kBlock);
    if (size > bytes.size()) refuse("a member passes the end of the file: it is cut off");
    const char type = static_cast<char>(header[156]);
    if (type == '0' || type == '\0') {
      std::string_view name = field(header, 0, 100);
      if (name.starts_with("./")) name.remove_prefix(2);
      for (const TarMember& other : members)
        if (other.name == name) refuse(fmt::format("two members are called '{}'", name.substr(0, 60)));
      members.push_back({name, bytes.subspan(0, size)});
    } else if (type != 'x' && type != 'g' && type != '5') {
      refuse(fmt::format("a member is of type {}: only plain files are read", static_cast<int>(type)));
    }
    bytes = bytes.subspan(std::min<std::uint64_t>(bytes.size(), (size + kBlock - 1) / kBlock * kBlock));
  }
  return members;
}

}  // namespace vise
