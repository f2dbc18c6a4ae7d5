// A reader of zip archives that trusts nothing (PKWARE's APPNOTE.TXT 6.3.3 describes the format).
//
//   const ZipArchive zip = ZipArchive::open(bytes);
//   for (const ZipEntry& entry : zip.entries()) ...
//   const ByteView data = zip.stored(entry);              // a view of `bytes`, CRC checked
//
// The central directory is what counts, with its ZIP64 parts; it must fill the space between the members and the end
// records exactly, members may neither overlap nor leave the file, and names may be neither repeated nor lead anywhere
// (absolute, "..", backslash, NUL, not UTF-8, empty). Methods: stored and deflated. Encrypted and split archives are
// refused. Everything throws Error{input} with the member's name.
//
// `bytes` must outlive the archive. Safe to read from many threads.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/file.h"

namespace vise {

struct ZipEntry {
  std::string_view name;  // in the directory's bytes
  bool deflated = false;
  std::uint32_t crc = 0;
  std::uint64_t packed_size = 0, size = 0;
  std::uint64_t header = 0;  // where the member's own header begins
  std::uint64_t data = 0;    // where its bytes begin; 0 until its header was looked at
};

// For an archive that is not in memory: its directory is found in the file's last kZipTail bytes (all, of a shorter
// file) and read; then a member at a time, which its header finds.
struct ZipDirectory {
  std::uint64_t count = 0, size = 0, offset = 0;
};
inline constexpr std::size_t kZipTail = 65'535 + 22 + 20 + 56;
inline constexpr std::size_t kZipHeader = 30;

ZipDirectory find_zip_directory(ByteView tail, std::uint64_t file_size);
// In the directory's order. Members don't overlap, by what the directory says of them.
std::vector<ZipEntry> read_zip_directory(ByteView directory, const ZipDirectory& where);
// How many bytes are between the start of the member's header and its bytes. `header` are its first bytes, kZipHeader
// and the name's at least.
std::uint64_t zip_header_size(ByteView header, const ZipEntry& entry);
// The member's bytes from its packed ones, CRC checked; nothing is allocated past `max_size`.
std::vector<std::byte> unpack_zip(ByteView packed, const ZipEntry& entry, std::uint64_t max_size);

class ZipArchive {
 public:
  static ZipArchive open(ByteView bytes);

  const std::vector<ZipEntry>& entries() const { return entries_; }
  const ZipEntry* find(std::string_view name) const;

  // A view of a stored member's bytes. Precondition: !entry.deflated.
  ByteView stored(const ZipEntry& entry) const;
  // The bytes of a deflated member, which must be exactly entry.size; nothing is allocated past `max_size`.
  std::vector<std::byte> inflate(const ZipEntry& entry, std::uint64_t max_size) const;

 private:
  ByteView bytes_;
  std::vector<ZipEntry> entries_;  // in the directory's order
  std::vector<std::size_t> by_name_;
};

}  // namespace vise
