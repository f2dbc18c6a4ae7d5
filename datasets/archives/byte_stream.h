// A file's bytes in order, unpacked where it is packed by gzip (RFC 1952) or Zstandard (RFC 8878).
//
//   const auto stream = open_byte_stream(file, Packing::zstd, name);
//   const std::size_t got = stream->read(block);      // short only at the end
//   stream->skip(size);                               // costs nothing where nothing is unpacked
//
// Memory is bounded whatever the file says: 256 kB, and at most the 128 MB window that a Zstandard frame may ask for.
// Error{input} naming the file where its packed form is damaged or cut off, or gives over 1,100 times its own size
// behind the first GiB. Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/file.h"

namespace vise::datasets {

enum class Packing { none, gzip, zstd };

// By the first bytes of a file.
Packing packing_of(ByteView begin);

class ByteStream {
 public:
  virtual ~ByteStream() = default;
  // Fills `to`; fewer bytes only at the end. Returns how many.
  std::size_t read(std::span<std::byte> to);
  // False where the stream ends before.
  bool skip(std::uint64_t count);
  // How many bytes were read and skipped.
  std::uint64_t position() const { return position_; }

 protected:
  // Some bytes, at least one unless the stream is at its end.
  virtual std::size_t some(std::span<std::byte> to) = 0;
  // Skips at once as much of `count` as it can; the rest is read and thrown away.
  virtual std::uint64_t jump(std::uint64_t) { return 0; }

 private:
  std::uint64_t position_ = 0;
};

// `file` must outlive the stream, which reads at places and moves no file position; `name` is for messages.
std::unique_ptr<ByteStream> open_byte_stream(const FileDescriptor& file, Packing packing, const std::string& name);

// Reads all of `to` at `offset` of the file; false where the file is shorter. Error{system} where it can't be read.
bool read_at(const FileDescriptor& file, std::uint64_t offset, std::span<std::byte> to, const std::string& name);

}  // namespace vise::datasets
