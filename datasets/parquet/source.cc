#include "datasets/parquet/source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"

namespace vise::datasets::parquet {
namespace {

class FileSource final : public Source {
 public:
  explicit FileSource(const Path& path) : path_(path), file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    struct stat info {};
    if (!file_) throw_errno("cannot open", path);
    if (::fstat(file_.get(), &info) != 0) throw_errno("cannot read", path);
    // A pipe can't be read from a place on.
    if (!S_ISREG(info.st_mode)) throw Error(ErrorKind::input, fmt::format("{}: is no file", path.string()));
    size_ = static_cast<std::uint64_t>(info.st_size);
  }

  std::uint64_t size() const override { return size_; }

  void read(std::uint64_t at, std::span<std::byte> out) const override {
    // pread() moves no position that threads would share, and may give fewer bytes than were asked for.
    while (!out.empty()) {
      const ssize_t got = ::pread(file_.get(), out.data(), out.size(), static_cast<off_t>(at));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw_errno("cannot read", path_);
      if (got == 0) throw Error(ErrorKind::input, "the file became shorter while it was read");
      at += static_cast<std::uint64_t>(got);
      out = out.subspan(static_cast<std::size_t>(got));
    }
  }

 private:
  Path path_;
  FileDescriptor file_;
  std::uint64_t size_ = 0;
};

// `at` and the length are checked by those who ask, against size().
class MemorySource final : public Source {
 public:
  explicit MemorySource(std::vector<std::byte> bytes) : bytes_(std::move(bytes)) {}
  std::uint64_t size() const override { return bytes_.size(); }
  void read(std::uint64_t at, std::span<std::byte> out) const override {
    const auto view = ByteView(bytes_).subspan(at, out.size());
    std::copy(view.begin(), view.end(), out.begin());
  }

 private:
  std::vector<std::byte> bytes_;
};

}  // namespace

std::unique_ptr<const Source> open_source(const Path& path) { return std::make_unique<const FileSource>(path); }

std::unique_ptr<const Source> memory_source(std::vector<std::byte> bytes) {
  return std::make_unique<const MemorySource>(std::move(bytes));
}

}  // namespace vise::datasets::parquet
