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
  std::string_view name;  // in the file's bytes
  bool deflated = false;
  std::uint32_t crc = 0;
  std::uint64_t packed_size = 0, size = 0;
  std::uint64_t data = 0;  // where the member's bytes begin
};

class ZipArchive {
 public:
  static ZipArchive open(ByteView bytes);

  const std::vector<ZipEntry>& entries() const { return entries_; }
  const ZipEntry* find(std::string_view name) const;

  // The bytes of a stored member, where they lie. Precondition: !entry.deflated.
  ByteView stored(const ZipEntry& entry) const;
  // The bytes of a deflated member, which must be exactly entry.size; nothing is allocated past `max_size`.
  std::vector<std::byte> inflate(const ZipEntry& entry, std::uint64_t max_size) const;

 private:
  ByteView bytes_;
  std::vector<ZipEntry> entries_;  // in the directory's order
  std::vector<std::size_t> by_name_;
};

}  // namespace vise
