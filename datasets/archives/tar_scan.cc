#include "datasets/archives/tar_scan.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <vector>

#include "base/error.h"
#include "base/tar_block.h"
#include "base/text.h"
#include "base/utf8.h"

namespace vise::datasets {
namespace {

constexpr std::uint64_t kMaxExtension = 1 << 20;  // of a pax header or a GNU name
constexpr std::uint64_t kMaxMembers = 50'000'000;

[[noreturn]] void refuse(const std::string& what, std::string hint = {}) {
  throw Error(ErrorKind::input, "tar: " + what, std::move(hint));
}

std::string shown(std::string_view name) { return printable(name.substr(0, 60)); }

// Octal, or GNU's big-endian number behind a set first bit, for members of 8 GB and more.
std::uint64_t size_of(ByteView block) {
  constexpr std::size_t kAt = 124, kSize = 12;
  const auto byte = [&](std::size_t i) { return std::to_integer<std::uint64_t>(block[kAt + i]); };
  // 12 octal digits less the terminator hold 8 GB less a byte.
  if (byte(0) != 0x80) return tar_octal(block, kAt, kSize, "size");
  std::uint64_t value = 0;
  for (std::size_t i = 1; i < kSize; ++i) {
    if (value >> 48 != 0) refuse("a header's size has over 56 bits");
    value = value << 8 | byte(i);
  }
  return value;
}

// What a ustar header splits into two fields. GNU's header has other things in the second one.
std::string name_of(ByteView block) {
  const std::string name(tar_text(block, 0, 100));
  // POSIX has "ustar" and a zero here; GNU has "ustar " with blanks, which isn't equal.
  const std::string magic(tar_text(block, 257, 6));
  const std::string_view prefix = magic == "ustar" ? tar_text(block, 345, 155) : std::string_view();
  return prefix.empty() ? name : fmt::format("{}/{}", prefix, name);
}

// What extension headers say of the member that follows.
struct Extension {
  std::optional<std::string> name;
  std::optional<std::uint64_t> size;
};

class TarScan {
 public:
  TarScan(ByteStream& stream, const std::function<void(const StreamedMember&)>& visit)
      : stream_(stream), visit_(visit) {}

  void run() {
    std::array<std::byte, kTarBlock> block;
    for (std::uint64_t count = 0; next(block); ++count) {
      if (count > kMaxMembers) refuse(fmt::format("over {} headers", kMaxMembers));
      check_tar_sum(block);
      take(block);
    }
    check_rest();
  }

 private:
  // False at the end block.
  bool next(std::span<std::byte> block) {
    if (stream_.read(block) < block.size())
      refuse("there are no end blocks", "the archive is cut off: copy or pack it again");
    return !is_zero_block(block);
  }

  void take(ByteView block) {
    const char type = static_cast<char>(block[156]);
    const std::uint64_t size = size_of(block);
    switch (type) {
      case 'L':  // GNU: the next member's name
        extension_.name = text_of(size);
        // The name comes with its terminating zero.
        extension_.name->resize(extension_.name->find_last_not_of('\0') + 1);
        return;
      case 'K':  // GNU: where the next link leads
        text_of(size);
        return;
      case 'x':
        read_pax(text_of(size), false);
        return;
      case 'g':
        read_pax(text_of(size), true);
        return;
      default:
        break;
    }
    StreamedMember member;
    member.name = extension_.name ? *extension_.name : name_of(block);
    // An extension counts for one member, the next.
    member.size = extension_.size.value_or(size);
    extension_ = {};
    member_of(type, member);
  }

  void member_of(char type, StreamedMember& member) {
    const bool is_folder = type == '5' || (type == '\0' && member.name.ends_with('/'));  // v7 had no type for them
    // '7' is a contiguous file (POSIX), which is read as any other.
    member.is_file = type == '0' || type == '\0' || type == '7';
    // '1' and '2' are links. Devices and pipes ('3', '4', '6') have no bytes either and are counted with them.
    const bool is_link = type >= '1' && type <= '6' && !is_folder;
    if (!member.is_file && !is_link && !is_folder)
      refuse(fmt::format("'{}' is of the type '{}', which is not read", shown(member.name), printable({&type, 1})),
             "sparse files and archives in several volumes: pack them again with tar's default options");
    // Readers don't agree on whether bytes follow such a header, so the next one could be looked for in two places.
    if (is_link && member.size != 0) refuse(fmt::format("the link '{}' has a size", shown(member.name)));
    // `tar cf x.tar .` writes every name so; the ids shouldn't depend on how the archive was made.
    while (member.name.starts_with("./")) member.name.erase(0, 2);
    member.offset = stream_.position();
    if (!is_folder) visit_(member);
    pass(member.offset, member.size, member.name);
  }

  // To the block behind `size` bytes that begin at `offset`.
  void pass(std::uint64_t offset, std::uint64_t size, std::string_view name) {
    // Data are padded to blocks of 512 bytes.
    const std::uint64_t end = offset + (size + kTarBlock - 1) / kTarBlock * kTarBlock;
    if (!stream_.skip(end - stream_.position()))
      refuse(fmt::format("'{}' claims {} bytes, past the end of the archive", shown(name), size),
             "the archive is cut off: copy it again");
  }

  std::string text_of(std::uint64_t size) {
    if (size > kMaxExtension) refuse(fmt::format("an extension header of {} bytes", size));
    const std::uint64_t offset = stream_.position();
    std::string text(size, '\0');
    if (stream_.read(std::as_writable_bytes(std::span(text))) < size) refuse("an extension header is cut off");
    pass(offset, size, "an extension header");
    return text;
  }

  // Records "LENGTH KEY=VALUE\n", their length included.
  void read_pax(std::string_view text, bool for_all) {
    while (!text.empty() && text[0] != '\0') {
      // The record's length counts itself, the blank and the newline.
      const auto blank = text.find(' ');
      std::int64_t length = 0;
      if (blank > 10 || !parse_int(text.substr(0, blank), length) || length < static_cast<std::int64_t>(blank) + 2 ||
          static_cast<std::size_t>(length) > text.size() || text[static_cast<std::size_t>(length) - 1] != '\n')
        refuse("a pax header is damaged");
      const std::string_view record = text.substr(blank + 1, static_cast<std::size_t>(length) - blank - 2);
      const auto equals = record.find('=');
      if (equals == std::string_view::npos) refuse("a pax header is damaged");
      take_record(record.substr(0, equals), record.substr(equals + 1), for_all);
      text.remove_prefix(static_cast<std::size_t>(length));
    }
  }

  void take_record(std::string_view key, std::string_view value, bool for_all) {
    if (key.starts_with("GNU.sparse")) refuse("a sparse file is not read", "pack it again without --sparse");
    // Times, owners and comments don't matter here.
    if (key != "path" && key != "size") return;
    // A global path or size makes no sense for several members, and readers differ in what they do with it.
    if (for_all) refuse(fmt::format("a pax header gives all members one {}", key));
    if (key == "path") {
      extension_.name = std::string(value);
      return;
    }
    // 17 digits are below 2^63.
    std::int64_t size = 0;
    if (value.size() > 17 || !parse_int(value, size) || size < 0) refuse("a pax header's size is no number");
    extension_.size = static_cast<std::uint64_t>(size);
  }

  // Archives are filled up with zeros to a record; a second archive behind the first would be lost without a word.
  void check_rest() {
    // Not to the end of the file: a packed archive may unfold to any number of zeros.
    constexpr std::uint64_t kMostZeros = 16 << 20;
    std::vector<std::byte> bytes(64 << 10);
    for (std::uint64_t seen = 0; seen < kMostZeros; seen += bytes.size()) {
      const std::size_t got = stream_.read(bytes);
      if (!is_zero_block(std::span(bytes).first(got)))
        refuse("something follows the end blocks",
               "of archives put one behind the other only the first is read: keep "
               "them as files of one folder");
      if (got < bytes.size()) return;
    }
  }

  ByteStream& stream_;
  const std::function<void(const StreamedMember&)>& visit_;
  Extension extension_;
};

}  // namespace

void scan_tar(ByteStream& stream, const std::function<void(const StreamedMember&)>& visit) {
  TarScan(stream, visit).run();
}

}  // namespace vise::datasets
