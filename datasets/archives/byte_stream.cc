#include "datasets/archives/byte_stream.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/error.h"

namespace vise::datasets {
namespace {

// No set of pictures is packed so well: deflate reaches 1,032 at most, and Zstandard's frames of one repeated byte
// 32,768, so that a few megabytes would keep a machine busy for a day.
constexpr std::uint64_t kMostRatio = 1100, kFreeBytes = 1 << 30;

// Small images are closer together than that, so that a walk along headers reads in order; larger ones are jumped over.
constexpr std::size_t kBuffer = 128 << 10;

[[noreturn]] void refuse(const std::string& name, std::string_view what) {
  throw Error(ErrorKind::input, fmt::format("{}: {}", name, what), "the file is damaged or cut off: copy it again");
}

std::size_t read_some(const FileDescriptor& file, std::uint64_t offset, std::span<std::byte> to,
                      const std::string& name) {
  while (true) {
    const ssize_t got = ::pread(file.get(), to.data(), to.size(), static_cast<off_t>(offset));
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) throw_errno("cannot read", name);
  }
}

// The file itself, through one buffer: walking along headers reads it in order, and jump() passes over what isn't
// wanted.
class FileStream final : public ByteStream {
 public:
  FileStream(const FileDescriptor& file, std::string name) : file_(file), name_(std::move(name)), buffer_(kBuffer) {
    struct stat info {};
    if (::fstat(file_.get(), &info) != 0) throw_errno("cannot read", name_);
    size_ = static_cast<std::uint64_t>(info.st_size);
  }

  // What is left of the buffer, refilled where it is empty; empty at the end. Taken by took().
  ByteView ahead() {
    if (begin_ == end_) {
      at_ += end_;
      begin_ = 0;
      end_ = read_some(file_, at_, buffer_, name_);
    }
    return ByteView(buffer_).subspan(begin_, end_ - begin_);
  }
  void took(std::size_t count) { begin_ += count; }
  std::uint64_t place() const { return at_ + begin_; }
  const std::string& name() const { return name_; }

 protected:
  std::size_t some(std::span<std::byte> to) override {
    const ByteView bytes = ahead();
    const std::size_t count = std::min(bytes.size(), to.size());
    std::copy_n(bytes.begin(), count, to.begin());
    took(count);
    return count;
  }

  std::uint64_t jump(std::uint64_t count) override {
    const std::uint64_t from = place(), target = std::min(size_, from + std::min(count, size_));
    if (target < from) return 0;
    // Within the buffer nothing is read again; a jump beyond it costs no read either,
    // since pread takes the place.
    if (target <= at_ + end_) {
      begin_ = static_cast<std::size_t>(target - at_);
    } else {
      at_ = target;
      begin_ = end_ = 0;
    }
    return target - from;
  }

 private:
  const FileDescriptor& file_;
  std::string name_;
  std::vector<std::byte> buffer_;
  std::uint64_t size_ = 0, at_ = 0;  // of the file; where the buffer begins in it
  std::size_t begin_ = 0, end_ = 0;  // of what is left in the buffer
};

// One member after the other, as gzip itself reads them.
class GzipStream final : public ByteStream {
 public:
  GzipStream(const FileDescriptor& file, const std::string& name) : in_(file, name) {
    // 16 more than the window's bits: zlib expects gzip's header and checks its sum at the end (zlib.h, inflateInit2).
    if (::inflateInit2(&state_, 16 + MAX_WBITS) != Z_OK) throw Error(ErrorKind::system, "zlib doesn't start");
  }
  ~GzipStream() override { ::inflateEnd(&state_); }
  GzipStream(const GzipStream&) = delete;
  GzipStream& operator=(const GzipStream&) = delete;

 protected:
  std::size_t some(std::span<std::byte> to) override {
    state_.next_out = reinterpret_cast<Bytef*>(to.data());
    // zlib counts in 32 bits.
    state_.avail_out = static_cast<uInt>(std::min<std::size_t>(to.size(), kBuffer));
    const uInt wanted = state_.avail_out;
    // A step may give nothing, at a member's header or end: only the end of the file ends this early.
    while (state_.avail_out == wanted && !ended_) step();
    return wanted - state_.avail_out;
  }

 private:
  void step() {
    const ByteView bytes = in_.ahead();
    if (bytes.empty()) {
      if (!between_) refuse(in_.name(), "ends within its gzip data");
      ended_ = true;
      return;
    }
    // Zeros behind the last member are what tapes were filled up with.
    if (between_ && members_ > 0 && bytes[0] == std::byte{0}) {
      ended_ = true;
      return;
    }
    state_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));
    state_.avail_in = static_cast<uInt>(bytes.size());
    between_ = false;
    const int status = ::inflate(&state_, Z_NO_FLUSH);
    in_.took(bytes.size() - state_.avail_in);
    if (status == Z_STREAM_END) {
      ++members_;
      between_ = true;
      ::inflateReset(&state_);
    } else if (status != Z_OK && status != Z_BUF_ERROR) {
      // Z_BUF_ERROR is no damage: the input is used up, and the next step brings more.
      refuse(in_.name(), fmt::format("its gzip data are damaged ({})", state_.msg ? state_.msg : "no reason given"));
    }
  }

  FileStream in_;
  z_stream state_{};
  std::size_t members_ = 0;
  bool between_ = true, ended_ = false;
};

// One frame after the other. A frame that asks for a window over 128 MB is refused by the library.
class ZstdStream final : public ByteStream {
 public:
  ZstdStream(const FileDescriptor& file, const std::string& name)
      : in_(file, name), state_(::ZSTD_createDStream(), ::ZSTD_freeDStream) {
    if (!state_) throw Error(ErrorKind::system, "zstd doesn't start");
  }

 protected:
  std::size_t some(std::span<std::byte> to) override {
    ZSTD_outBuffer out{to.data(), to.size(), 0};
    while (out.pos == 0) {
      const ByteView bytes = in_.ahead();
      if (bytes.empty() && between_) return 0;
      ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
      const std::size_t status = ::ZSTD_decompressStream(state_.get(), &out, &in);
      in_.took(in.pos);
      if (::ZSTD_isError(status))
        refuse(in_.name(), fmt::format("its Zstandard data are damaged ({})", ::ZSTD_getErrorName(status)));
      between_ = status == 0;
      // Called with no input once more: the decoder may still hold bytes that it hasn't given.
      if (bytes.empty() && out.pos == 0 && !between_) refuse(in_.name(), "ends within its Zstandard data");
    }
    given_ += out.pos;
    // deflate can't exceed its ratio, so only Zstandard is watched.
    // in_.place() is how far the packed file has been read.
    if (given_ > kFreeBytes && given_ / kMostRatio > in_.place())
      throw Error(ErrorKind::input,
                  fmt::format("{}: {} bytes of it give over {} bytes: a bomb", in_.name(), in_.place(), given_),
                  "pack the images alone");
    return out.pos;
  }

 private:
  FileStream in_;
  std::unique_ptr<ZSTD_DStream, std::size_t (*)(ZSTD_DStream*)> state_;
  std::uint64_t given_ = 0;
  bool between_ = true;
};

}  // namespace

Packing packing_of(ByteView begin) {
  const auto starts = [&](std::string_view magic) {
    return begin.size() >= magic.size() && std::memcmp(begin.data(), magic.data(), magic.size()) == 0;
  };
  return starts("\x1F\x8B") ? Packing::gzip : starts("\x28\xB5\x2F\xFD") ? Packing::zstd : Packing::none;
}

std::size_t ByteStream::read(std::span<std::byte> to) {
  std::size_t done = 0;
  while (done < to.size()) {
    const std::size_t got = some(to.subspan(done));
    if (got == 0) break;
    done += got;
  }
  position_ += done;
  return done;
}

// Only a plain file can jump; what a packed one has there is unpacked and thrown away.
bool ByteStream::skip(std::uint64_t count) {
  const std::uint64_t jumped = jump(count);
  position_ += jumped;
  count -= jumped;
  std::array<std::byte, 16 << 10> thrown;
  while (count > 0) {
    const std::size_t want = static_cast<std::size_t>(std::min<std::uint64_t>(count, thrown.size()));
    const std::size_t got = read(std::span(thrown).first(want));
    count -= got;
    if (got < want) return false;
  }
  return true;
}

std::unique_ptr<ByteStream> open_byte_stream(const FileDescriptor& file, Packing packing, const std::string& name) {
  if (packing == Packing::gzip) return std::make_unique<GzipStream>(file, name);
  if (packing == Packing::zstd) return std::make_unique<ZstdStream>(file, name);
  return std::make_unique<FileStream>(file, name);
}

bool read_at(const FileDescriptor& file, std::uint64_t offset, std::span<std::byte> to, const std::string& name) {
  std::size_t done = 0;
  while (done < to.size()) {
    const std::size_t got = read_some(file, offset + done, to.subspan(done), name);
    if (got == 0) return false;
    done += got;
  }
  return true;
}

}  // namespace vise::datasets
