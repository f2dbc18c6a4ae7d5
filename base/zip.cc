#include "base/zip.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>

#include "base/archive_name.h"
#include "base/error.h"
#include "base/utf8.h"

namespace vise {
namespace {

// Signatures of the records ("PK" and two bytes, as little-endian numbers) and their lengths without names and
// comments: APPNOTE.TXT, 4.3.
constexpr std::uint32_t kLocal = 0x04034B50, kCentral = 0x02014B50, kEnd = 0x06054B50, kEnd64 = 0x06064B50,
                        kLocator64 = 0x07064B50;
constexpr std::size_t kCentralSize = 46, kEndSize = 22, kEnd64Size = 56, kLocator64Size = 20;

[[noreturn]] void refuse(const std::string& what) { throw Error(ErrorKind::input, "zip: " + what); }

// What a hostile name may contribute to a message.
std::string shown(std::string_view name) { return printable(name.substr(0, 60)); }

// Little-endian fields at any address: memcpy, never a cast.
template <typename T>
T load(ByteView bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

std::string_view text(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

// The end record whose comment ends with the file; the last one, if a comment holds another's signature.
std::size_t find_end(ByteView bytes) {
  if (bytes.size() < kEndSize) refuse("the file is too short for an end record; was the download cut off?");
  // The end record is 22 bytes and a comment of at most 65,535; its last field is that
  // comment's length, which must reach exactly to the end of the file. The search runs backwards
  // because a comment may hold the signature too.
  const std::size_t last = bytes.size() - kEndSize;
  const std::size_t first = last - std::min<std::size_t>(last, std::numeric_limits<std::uint16_t>::max());
  for (std::size_t at = last + 1; at-- > first;)
    if (load<std::uint32_t>(bytes, at) == kEnd && load<std::uint16_t>(bytes, at + 20) == last - at) return at;
  throw Error(ErrorKind::input, "zip: no end record at the end of the file",
              "the file is cut off or something was added to it: download it again");
}

// `at` and `end` are places in the tail, which begins at `base` in the file.
ZipDirectory read_end64(ByteView tail, std::size_t locator, std::uint64_t base) {
  const auto place = load<std::uint64_t>(tail, locator + 8);
  // APPNOTE allows the zip64 record anywhere before its locator. Writers put it directly before, and
  // to demand that leaves no bytes that one reader sees and another does not.
  if (locator < kEnd64Size || place != base + locator - kEnd64Size ||
      load<std::uint32_t>(tail, locator - kEnd64Size) != kEnd64)
    refuse("the zip64 end record is not where its locator says");
  const std::size_t at = locator - kEnd64Size;
  // The record's length counts what follows its first 12 bytes; a longer one would hold the
  // extensible part of version 2, which is about encryption.
  if (load<std::uint64_t>(tail, at + 4) != kEnd64Size - 12) refuse("the zip64 end record has an odd length");
  if (load<std::uint32_t>(tail, at + 16) != 0 || load<std::uint32_t>(tail, at + 20) != 0)
    refuse("the archive is split over several files");
  const ZipDirectory directory{load<std::uint64_t>(tail, at + 32), load<std::uint64_t>(tail, at + 40),
                               load<std::uint64_t>(tail, at + 48)};
  if (directory.size > place || directory.offset != place - directory.size)
    refuse("the zip64 end record doesn't say where the directory is");
  return directory;
}

void check_name(std::string_view name) {
  if (const std::string fault = archive_name_fault(name); !fault.empty())
    refuse(fmt::format("the member name '{}' {}", shown(name), fault));
}

// Replaces the sizes and the offset that are all ones by those of the extra field 1, in its fixed order.
void apply_zip64(ByteView extra, std::uint64_t& size, std::uint64_t& packed, std::uint64_t& local,
                 std::string_view name) {
  // 4.5.3 of APPNOTE: a 32-bit field that is all ones is continued in the extra field with id
  // 1, which holds only the continued ones, as 64 bits each.
  constexpr std::uint64_t kElsewhere = 0xFFFFFFFF;
  if (size != kElsewhere && packed != kElsewhere && local != kElsewhere) return;
  for (std::size_t at = 0; extra.size() - at >= 4;) {
    const auto id = load<std::uint16_t>(extra, at), length = load<std::uint16_t>(extra, at + 2);
    if (length > extra.size() - at - 4) break;
    if (id == 1) {
      ByteView values = extra.subspan(at + 4, length);
      for (std::uint64_t* const field : {&size, &packed, &local}) {
        if (*field != kElsewhere) continue;
        if (values.size() < 8) refuse(fmt::format("the zip64 field of '{}' is too short", shown(name)));
        *field = load<std::uint64_t>(values, 0);
        values = values.subspan(8);
      }
      return;
    }
    at += 4 + length;
  }
  refuse(fmt::format("the zip64 field of '{}' is missing", shown(name)));
}

// One record at the front of `rest`, taken off it. Members end before `members_end`.
ZipEntry take_entry(ByteView& rest, std::uint64_t members_end) {
  if (rest.size() < kCentralSize || load<std::uint32_t>(rest, 0) != kCentral)
    refuse("the directory does not hold the members it counts");
  const std::size_t name = load<std::uint16_t>(rest, 28), extra = load<std::uint16_t>(rest, 30),
                    comment = load<std::uint16_t>(rest, 32);
  if (rest.size() - kCentralSize < name + extra + comment) refuse("the directory is cut off");
  ZipEntry entry;
  entry.name = text(rest.subspan(kCentralSize, name));
  check_name(entry.name);
  const auto flags = load<std::uint16_t>(rest, 8), method = load<std::uint16_t>(rest, 10);
  // Bit 0 encryption, bit 6 strong encryption, bit 13 an encrypted directory.
  if (flags & 0x2041) refuse(fmt::format("'{}' is encrypted", shown(entry.name)));
  if (method != 0 && method != 8) refuse(fmt::format("'{}' is packed by method {}", shown(entry.name), method));
  entry.deflated = method == 8;
  entry.crc = load<std::uint32_t>(rest, 16);
  entry.packed_size = load<std::uint32_t>(rest, 20);
  entry.size = load<std::uint32_t>(rest, 24);
  entry.header = load<std::uint32_t>(rest, 42);
  apply_zip64(rest.subspan(kCentralSize + name, extra), entry.size, entry.packed_size, entry.header, entry.name);
  // Two sizes for the same bytes invite readers to disagree about where the next member begins.
  if (!entry.deflated && entry.size != entry.packed_size)
    refuse(fmt::format("'{}' is stored, yet has two sizes", shown(entry.name)));
  if (entry.header > members_end || members_end - entry.header < kZipHeader + name)
    refuse(fmt::format("the header of '{}' lies outside the file", shown(entry.name)));
  if (members_end - entry.header - kZipHeader - name < entry.packed_size)
    refuse(fmt::format("the header of '{}' claims {} bytes, past the end of the members", shown(entry.name),
                       entry.packed_size));
  rest = rest.subspan(kCentralSize + name + extra + comment);
  return entry;
}

void check_overlaps(std::vector<std::pair<std::uint64_t, std::uint64_t>>& ranges) {
  // Overlapping members let a small file unfold to a huge one (Fifield, A better zip bomb, 2019),
  // and let two readers find different bytes under one name.
  std::sort(ranges.begin(), ranges.end());
  for (std::size_t i = 1; i < ranges.size(); ++i)
    if (ranges[i].first < ranges[i - 1].second) refuse("two members share bytes");
}

// zlib's CRC-32, which is zip's.
std::uint32_t crc_of(ByteView bytes) {
  return static_cast<std::uint32_t>(::crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

// A fuzzer can't guess checksums; built for one, the reader shows it what they protect.
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
constexpr bool kCheckSums = false;
#else
constexpr bool kCheckSums = true;
#endif

void check_crc(const ZipEntry& entry, ByteView bytes) {
  if (kCheckSums && crc_of(bytes) != entry.crc)
    throw Error(ErrorKind::input, fmt::format("zip: the bytes of '{}' don't match their CRC-32", shown(entry.name)),
                "the file is damaged: download or copy it again");
}

}  // namespace

// The steps of an archive: find_zip_directory() in its tail, read_zip_directory(), then each member's own header and
// bytes. Every claim is checked against what is known before, since members may come from strangers.
ZipDirectory find_zip_directory(ByteView tail, std::uint64_t file_size) {
  const std::uint64_t base = file_size - tail.size();
  const std::size_t end = find_end(tail);
  if (load<std::uint16_t>(tail, end + 4) != 0 || load<std::uint16_t>(tail, end + 6) != 0)
    refuse("the archive is split over several files");
  ZipDirectory directory{load<std::uint16_t>(tail, end + 10), load<std::uint32_t>(tail, end + 12),
                         load<std::uint32_t>(tail, end + 16)};
  // A locator before the end record decides, even if the 32-bit fields would do: PyTorch
  // writes zip64 records for every archive.
  if (end >= kLocator64Size && load<std::uint32_t>(tail, end - kLocator64Size) == kLocator64)
    directory = read_end64(tail, end - kLocator64Size, base);
  else if (directory.size > base + end || directory.offset != base + end - directory.size)
    refuse("the end record doesn't say where the directory is");
  // Checked before the entries are reserved: 2^64 members would otherwise be an allocation.
  if (directory.count > directory.size / kCentralSize) refuse("the directory is too short for the members it counts");
  return directory;
}

std::vector<ZipEntry> read_zip_directory(ByteView directory, const ZipDirectory& where) {
  std::vector<ZipEntry> entries;
  entries.reserve(where.count);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
  for (std::uint64_t i = 0; i < where.count; ++i) {
    const ZipEntry entry = entries.emplace_back(take_entry(directory, where.offset));
    // The local header's extra field is not known yet, so this is the least a member occupies;
    // ZipArchive::open() repeats the check with the true sizes.
    ranges.emplace_back(entry.header, entry.header + kZipHeader + entry.name.size() + entry.packed_size);
  }
  if (!directory.empty()) refuse("the directory holds more than the members it counts");
  check_overlaps(ranges);
  return entries;
}

std::uint64_t zip_header_size(ByteView header, const ZipEntry& entry) {
  const auto bad = [&](std::string_view why) { refuse(fmt::format("the header of '{}' {}", shown(entry.name), why)); };
  if (header.size() < kZipHeader + entry.name.size()) bad("lies outside the file");
  if (load<std::uint32_t>(header, 0) != kLocal) bad("is not there");
  // Of the local header only the lengths and the name are used: sizes and CRC may be zeros there, if
  // the writer was streaming and put them into a descriptor behind the bytes.
  const std::uint64_t name = load<std::uint16_t>(header, 26), extra = load<std::uint16_t>(header, 28);
  if (name != entry.name.size() || text(header.subspan(kZipHeader, name)) != entry.name) bad("names another member");
  return kZipHeader + name + extra;
}

std::vector<std::byte> unpack_zip(ByteView packed, const ZipEntry& entry, std::uint64_t max_size) {
  constexpr std::uint64_t kMostPerByte = 1032;  // deflate can't do better
  // Refused by its claim, before a byte of it is allocated; the claim is checked against
  // what inflate() gives below.
  if (entry.size > max_size || entry.size / kMostPerByte > entry.packed_size)
    refuse(fmt::format("'{}' would inflate to {} bytes, more than it may", shown(entry.name), entry.size));
  if (!entry.deflated) {
    check_crc(entry, packed);
    return {packed.begin(), packed.end()};
  }
  if (entry.size >= std::numeric_limits<uInt>::max() || entry.packed_size >= std::numeric_limits<uInt>::max())
    refuse(fmt::format("'{}' is deflated and over 4 GB", shown(entry.name)));
  std::vector<std::byte> out(entry.size + 1);  // one more, to see that nothing follows
  z_stream stream{};
  // Negative: raw deflate, without zlib's header and checksum, as zip members are.
  if (::inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw Error(ErrorKind::system, "zlib doesn't start");
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(packed.data()));
  stream.avail_in = static_cast<uInt>(entry.packed_size);
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int status = ::inflate(&stream, Z_FINISH);
  const bool whole = status == Z_STREAM_END && stream.total_out == entry.size && stream.avail_in == 0;
  ::inflateEnd(&stream);
  if (!whole) refuse(fmt::format("'{}' doesn't inflate to the {} bytes it claims", shown(entry.name), entry.size));
  out.resize(entry.size);
  check_crc(entry, out);
  return out;
}

ZipArchive ZipArchive::open(ByteView bytes) {
  const std::size_t tail = std::min(bytes.size(), kZipTail);
  const ZipDirectory directory = find_zip_directory(bytes.last(tail), bytes.size());
  ZipArchive archive;
  archive.bytes_ = bytes;
  archive.entries_ = read_zip_directory(bytes.subspan(directory.offset, directory.size), directory);
  const ByteView members = bytes.first(directory.offset);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
  for (ZipEntry& entry : archive.entries_) {
    const ByteView header = members.subspan(entry.header);
    entry.data = entry.header + zip_header_size(header, entry);
    if (entry.data > members.size() || members.size() - entry.data < entry.packed_size)
      refuse(fmt::format("the header of '{}' claims {} bytes, past the end of the members", shown(entry.name),
                         entry.packed_size));
    ranges.emplace_back(entry.header, entry.data + entry.packed_size);
  }
  check_overlaps(ranges);
  auto& order = archive.by_name_;
  // Sorted indices serve the search for repeated names here and find() later; PyTorch archives
  // have a member for each storage, thousands in all.
  order.resize(archive.entries_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return archive.entries_[a].name < archive.entries_[b].name; });
  for (std::size_t i = 1; i < order.size(); ++i)
    if (archive.entries_[order[i]].name == archive.entries_[order[i - 1]].name)
      refuse(fmt::format("two members are called '{}'", shown(archive.entries_[order[i]].name)));
  return archive;
}

// Binary search over the sorted indices.
const ZipEntry* ZipArchive::find(std::string_view name) const {
  const auto found = std::lower_bound(by_name_.begin(), by_name_.end(), name,
                                      [&](std::size_t i, std::string_view n) { return entries_[i].name < n; });
  return found != by_name_.end() && entries_[*found].name == name ? &entries_[*found] : nullptr;
}

ByteView ZipArchive::stored(const ZipEntry& entry) const {
  const ByteView data = bytes_.subspan(entry.data, entry.packed_size);
  check_crc(entry, data);
  return data;
}

std::vector<std::byte> ZipArchive::inflate(const ZipEntry& entry, std::uint64_t max_size) const {
  return unpack_zip(bytes_.subspan(entry.data, entry.packed_size), entry, max_size);
}

}  // namespace vise
