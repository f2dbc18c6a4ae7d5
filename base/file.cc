#include "base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/error.h"

namespace vise {
namespace {

// O_CLOEXEC here and everywhere: a child process must not inherit files of ours, nor locks on them.
FileDescriptor open_for_reading(const Path& path) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) throw_errno("cannot open", path);
  return file;
}

// Of a pipe or a file below /proc it is 0; read_whole() doesn't rely on it.
std::uint64_t regular_file_size(int fd, const Path& path) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) throw_errno("cannot read", path);
  // open() succeeds on a folder, and only read() would fail, with a reason ("Is a
  // directory") that names no remedy.
  if (S_ISDIR(info.st_mode)) throw Error(ErrorKind::input, fmt::format("{}: is a folder, not a file", path.string()));
  return static_cast<std::uint64_t>(info.st_size);
}

// Reads to the end rather than to st_size: files under /proc and pipes say 0.
template <typename Buffer>
Buffer read_whole(const Path& path, std::uint64_t max_bytes) {
  const FileDescriptor file = open_for_reading(path);
  const std::uint64_t expected = regular_file_size(file.get(), path);
  const auto check = [&](std::uint64_t size) {
    if (size > max_bytes)
      throw Error(ErrorKind::input,
                  fmt::format("{}: has more than {} bytes, too many for this kind of file", path.string(), max_bytes));
  };
  check(expected);
  Buffer buffer;
  // One byte more than expected, so that the read which finds the end of a regular file
  // needs no larger buffer.
  buffer.resize(expected + 1);
  std::size_t size = 0;
  while (true) {
    if (size == buffer.size()) buffer.resize(buffer.size() * 2);
    const ssize_t got = ::read(file.get(), buffer.data() + size, buffer.size() - size);
    // Signals are handled (Ctrl-C ends a run in good order), so a read can be interrupted
    // without having failed.
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_errno("cannot read", path);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
    check(size);
  }
  buffer.resize(size);
  return buffer;
}

// "results.jsonl.tmp-4711-0", beside its target.
Path temporary_name(const Path& path) {
  // The process id separates processes that share a cache on one machine, the counter separates threads. The
  // temporary file is in the target's folder because rename() is atomic only within one file system.
  static std::atomic<unsigned> counter{0};
  return Path(fmt::format("{}.tmp-{}-{}", path.string(), ::getpid(), counter++));
}

// Makes the new name itself durable: a rename is a change of the folder.
void sync_folder(const Path& folder) {
  const FileDescriptor dir(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (dir) ::fsync(dir.get());  // some file systems refuse to sync a folder; the rename is atomic all the same
}

}  // namespace

void throw_errno(std::string_view action, const Path& path) {
  const int code = errno;
  // Only these two mean that somebody has to provide something (exit code 3); everything
  // else is the system's trouble.
  const bool missing = code == ENOENT || code == ENOTDIR;
  throw Error(missing ? ErrorKind::missing : ErrorKind::system,
              fmt::format("{} {}: {}", action, path.string(), std::generic_category().message(code)));
}

std::vector<std::byte> read_file(const Path& path, std::uint64_t max_bytes) {
  return read_whole<std::vector<std::byte>>(path, max_bytes);
}

std::string read_text_file(const Path& path, std::uint64_t max_bytes) {
  return read_whole<std::string>(path, max_bytes);
}

void write_file_atomically(const Path& path, ByteView bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

void write_file_atomically(const Path& path, std::string_view text) { write_file_atomically(path, as_byte_view(text)); }

MappedFile::MappedFile(const Path& path) {
  const FileDescriptor file = open_for_reading(path);
  size_ = regular_file_size(file.get(), path);
  // mmap refuses a length of 0.
  if (size_ == 0) return;
  // MAP_PRIVATE: nothing is written, and the pages are the page cache's own.
  void* const map = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (map == MAP_FAILED) throw_errno("cannot map", path);
  data_ = static_cast<const std::byte*>(map);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_) ::munmap(const_cast<std::byte*>(data_), size_);
}

// Swapping lets the other's destructor close what this one had.
FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

FileDescriptor::~FileDescriptor() {
  if (fd_ >= 0) ::close(fd_);
}

int FileDescriptor::release() noexcept { return std::exchange(fd_, -1); }

AtomicFile::AtomicFile(Path path) : path_(std::move(path)), temporary_(temporary_name(path_)) {
  std::error_code ignored;  // open() below reports what is wrong
  if (path_.has_parent_path()) std::filesystem::create_directories(path_.parent_path(), ignored);
  // O_EXCL: a name that exists is a leftover of a process with our id, and writing into
  // it could mix two files.
  file_ = FileDescriptor(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!file_) throw_errno("cannot write", path_);
}

AtomicFile::~AtomicFile() {
  // commit() closed the file, so an open one was abandoned, by an exception as a rule.
  if (file_) ::unlink(temporary_.c_str());
}

void AtomicFile::write(ByteView bytes) { write_fully(file_.get(), bytes, -1, path_); }

void AtomicFile::commit() {
  // The bytes must be on disk before the name is: after a power cut a file system may otherwise
  // show the new name with an empty file. fsync also reports what write() left to the page
  // cache, such as a full quota over NFS.
  if (::fsync(file_.get()) != 0) throw_errno("cannot write", path_);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) throw_errno("cannot write", path_);
  file_ = FileDescriptor();
  sync_folder(path_.parent_path());
}

void write_fully(int fd, ByteView bytes, std::int64_t offset, const Path& path_for_messages) {
  while (!bytes.empty()) {
    const ssize_t done =
        offset < 0 ? ::write(fd, bytes.data(), bytes.size()) : ::pwrite(fd, bytes.data(), bytes.size(), offset);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) throw_errno("cannot write", path_for_messages);
    bytes = bytes.subspan(static_cast<std::size_t>(done));
    // pwrite leaves the file's own position alone, so the place has to be carried along by hand.
    if (offset >= 0) offset += done;
  }
}

}  // namespace vise
