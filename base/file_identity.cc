#include "base/file_identity.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/hash.h"

namespace vise {
namespace {

// Fits 64 bits until the year 2262.
std::int64_t nanoseconds(const timespec& time) { return time.tv_sec * std::int64_t{1'000'000'000} + time.tv_nsec; }

// Most paths are so already, and a million of them would take seconds.
std::string absolute_normal(const Path& path) {
  const std::string& text = path.native();
  const bool is_plain = text.starts_with('/') && text.find("//") == std::string::npos &&
                        text.find("/.") == std::string::npos && !text.ends_with('/');
  return is_plain ? text : std::filesystem::absolute(path).lexically_normal().string();
}

}  // namespace

FileIdentity FileIdentity::of(const Path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) throw_errno("cannot read", path);
  // A pipe or device has no size or time that could say whether its content changed.
  if (!S_ISREG(info.st_mode)) throw Error(ErrorKind::input, fmt::format("{}: is not a regular file", path.string()));
  // Both times: mtime changes with the content and can be set back by tar or rsync, ctime
  // cannot be set by anybody. Device and inode notice a file that was replaced under the
  // same name within the clock's resolution.
  FileIdentity id;
  id.path = absolute_normal(path);
  id.size = static_cast<std::uint64_t>(info.st_size);
  id.device = info.st_dev;
  id.inode = info.st_ino;
  id.mtime_ns = nanoseconds(info.st_mtim);
  id.ctime_ns = nanoseconds(info.st_ctim);
  return id;
}

FileIdentity FileIdentity::piece(std::string_view name, std::uint64_t piece_size, std::string_view where) const {
  // A member of an archive has no inode. It keeps the archive's times, and a number made of
  // the archive's inode and size and the member's place stands in for one, so that the same
  // member of another archive is another file.
  FileIdentity of_piece = *this;
  of_piece.path = fmt::format("{}/{}", path, name);
  of_piece.size = piece_size;
  // 63 bits: a PathCache's line holds signed numbers.
  of_piece.inode = checksum64(as_byte_view(fmt::format("{}/{}/{}", inode, size, where))) >> 1;
  return of_piece;
}

}  // namespace vise
