#include "extract/networks/checkpoint/tar.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/tar_block.h"

namespace vise::networks {
namespace {

constexpr std::size_t kMaxMembers = 1000;

[[noreturn]] void refuse(const std::string& what) { throw Error(ErrorKind::input, "tar: " + what); }

}  // namespace

// Ends at a block of zeros or at the end of the file. A member that a cut copy has lost is missed by those who look for
// it.
std::vector<TarMember> read_tar(ByteView bytes) {
  std::vector<TarMember> members;
  for (std::size_t headers = 0; bytes.size() >= kTarBlock && !is_zero_block(bytes.subspan(0, kTarBlock)); ++headers) {
    if (headers > kMaxMembers) refuse(fmt::format("more than {} members", kMaxMembers));
    const ByteView header = bytes.subspan(0, kTarBlock);
    check_tar_sum(header);
    // Field positions of ustar: size at 124, type at 156.
    const std::uint64_t size = tar_octal(header, 124, 12, "size");
    bytes = bytes.subspan(kTarBlock);
    if (size > bytes.size()) refuse("a member passes the end of the file: it is cut off");
    const char type = static_cast<char>(header[156]);
    if (type == '0' || type == '\0') {
      std::string_view name = tar_text(header, 0, 100);
      if (name.starts_with("./")) name.remove_prefix(2);
      // Python's tarfile takes the last of two equal names, other readers the first.
      for (const TarMember& other : members)
        if (other.name == name) refuse(fmt::format("two members are called '{}'", name.substr(0, 60)));
      members.push_back({name, bytes.subspan(0, size)});
    } else if (type != 'x' && type != 'g' && type != '5') {
      // Extended headers (x, g) and folders (5) are passed over: torch.save wrote three plain
      // members with short names, which need neither.
      refuse(fmt::format("a member is of type {}: only plain files are read", static_cast<int>(type)));
    }
    // Contents are padded to whole blocks, but the last member's padding may be missing.
    bytes = bytes.subspan(std::min<std::uint64_t>(bytes.size(), (size + kTarBlock - 1) / kTarBlock * kTarBlock));
  }
  return members;
}

}  // namespace vise::networks
