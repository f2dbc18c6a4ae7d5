// Files: whole reads, read-only maps, and writes that are either complete under their final name or not there.
//
//   const MappedFile weights(path);                       // bytes() is valid as long as `weights` lives
//   write_file_atomically(path, text);                    // temporary name beside it, fsync, rename
//   AtomicFile out(path); out.write(rows); out.commit();  // the same for what doesn't fit in memory
//
// Every function throws Error{missing} where the file isn't there and Error{system} with the system's own reason for
// everything else. Paths appear in messages as they were given.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vise {

using Path = std::filesystem::path;
using ByteView = std::span<const std::byte>;

// The text's bytes, without a copy.
inline ByteView as_byte_view(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }

// The whole file. `max_bytes` bounds what is allocated: a larger file is Error{input}.
std::vector<std::byte> read_file(const Path& path, std::uint64_t max_bytes = UINT64_MAX);
std::string read_text_file(const Path& path, std::uint64_t max_bytes = UINT64_MAX);

// Writes beside `path`, syncs and renames. Creates missing parent folders.
void write_file_atomically(const Path& path, ByteView bytes);
void write_file_atomically(const Path& path, std::string_view text);

// A read-only memory map of a whole file; an empty file maps to an empty view. Move-only. Safe to read from many
// threads. A file that another process truncates while it is mapped raises SIGBUS: only map files that are replaced
// by rename, as everything of ours is.
class MappedFile {
 public:
  MappedFile() = default;
  explicit MappedFile(const Path& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  ByteView bytes() const noexcept { return {data_, size_}; }

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

// An open file descriptor that closes itself. Move-only.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.release()) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  ~FileDescriptor();

  int get() const noexcept { return fd_; }
  int release() noexcept;
  explicit operator bool() const noexcept { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// A file that appears under its final name only by commit(); destroyed without it, nothing is left behind.
class AtomicFile {
 public:
  explicit AtomicFile(Path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(ByteView bytes);
  void write(std::string_view text) { write(as_byte_view(text)); }
  // Syncs to disk and renames. May be called once.
  void commit();

 private:
  Path path_, temporary_;
  FileDescriptor file_;
};

// Writes all of `bytes`, at `offset` or (offset < 0) at the current place, retrying short writes.
void write_fully(int fd, ByteView bytes, std::int64_t offset, const Path& path_for_messages);

// Error{missing|system} for a failed system call on `path`, with errno's words.
[[noreturn]] void throw_errno(std::string_view action, const Path& path);

}  // namespace vise
