// What tells a file, or a piece of one, from every other without reading it: enough to remember what its bytes are.
//
//   const FileIdentity identity = FileIdentity::of(path);                    // one stat
//   const FileIdentity of_member = archive.piece("joy/1.jpg", size, hash);   // nothing: the archive was asked before
//
// An identity is absolute path, size, mtime and ctime in nanoseconds, device and inode. ctime moves with every change
// of the bytes, and no archive or `touch` can set it: two files of equal relative path, size and mtime are never
// confused.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/file.h"

namespace vise {

struct FileIdentity {
  std::string path;  // absolute, normalised
  std::uint64_t size = 0, device = 0, inode = 0;
  std::int64_t mtime_ns = 0, ctime_ns = 0;

  // Error{missing} if it isn't there, Error{input} if it isn't a regular file.
  static FileIdentity of(const Path& path);
  // Of a piece of this file, such as a member of an archive or a cell of a table: its path is that of the file and
  // `name`, its times and device are the file's, and `inode` is a hash of the file's, of the file's size and of
  // `where`, which is to say all else that is known of the piece (offset, CRC, row).
  FileIdentity piece(std::string_view name, std::uint64_t piece_size, std::string_view where) const;
  bool operator==(const FileIdentity&) const = default;
};

}  // namespace vise
