// A pickle's bytes as opcodes and their arguments, within frames (PEP 3154; Python's Lib/pickletools.py has each
// opcode's form).
//
//   PickleCode code(bytes);
//   const std::uint8_t opcode = code.next();
//   if (opcode == 'X') text = code.counted<std::uint32_t>();
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

#include "base/file.h"

namespace vise {

// "BINUNICODE"; empty for bytes that are no opcode.
std::string_view pickle_opcode_name(std::uint8_t opcode);

// Views point into the bytes, which must outlive it. Every function but at() is Error{input} where the bytes end, or
// the frame does, before what is asked for.
class PickleCode {
 public:
  explicit PickleCode(ByteView bytes) : bytes_(reinterpret_cast<const char*>(bytes.data()), bytes.size()) {}

  std::size_t at() const { return at_; }
  // A frame that has been read to its end is over with the next opcode.
  std::uint8_t next();
  // The next bytes as they are.
  std::string_view argument(std::uint64_t size);
  // Little-endian.
  template <typename T>
  T number() {
    T value;
    std::memcpy(&value, argument(sizeof(T)).data(), sizeof(T));
    return value;
  }
  // Bytes after their number.
  template <typename Length>
  std::string_view counted() {
    const auto length = number<Length>();
    if constexpr (std::is_signed_v<Length>)
      if (length < 0) refuse_length(length);
    return argument(static_cast<std::uint64_t>(length));
  }
  // Up to the next newline, which is passed.
  std::string_view line();
  // What follows is a frame of the size that is read: no argument passes its end.
  void begin_frame();

 private:
  [[noreturn]] static void refuse_length(std::int64_t length);

  std::string_view bytes_;
  std::size_t at_ = 0, frame_end_ = SIZE_MAX;
};

}  // namespace vise
