#include "extract/images/decode/exif.h"

#include "extract/images/decode/codec.h"

namespace vise::images {
namespace {

struct Integers {
  ByteView bytes;
  bool big;

  std::uint32_t u16(std::size_t at) const { return big ? Cursor::be16(bytes, at) : Cursor::le16(bytes, at); }
  std::uint32_t u32(std::size_t at) const { return big ? Cursor::be32(bytes, at) : Cursor::le32(bytes, at); }
};

// The first value of an entry of an integer type, whose value or offset is at `at`.
std::optional<int> value(const Integers& file, std::uint32_t type, std::uint32_t count, std::size_t at) {
  if (!count) return std::nullopt;
  // TIFF 6.0's types: BYTE and SBYTE, SHORT and SSHORT, LONG and SLONG. An orientation is
  // a SHORT, but Pillow reads any integer.
  const std::uint32_t unit = type == 1 || type == 6 ? 1 : type == 3 || type == 8 ? 2 : type == 4 || type == 9 ? 4 : 0;
  if (!unit) return std::nullopt;
  // TIFF 6.0, section 2: up to four bytes are in the entry itself, longer values where its offset says. Product and sum
  // are of 32-bit numbers in 64 bits and can't wrap.
  const std::uint64_t size = std::uint64_t{count} * unit, place = size > 4 ? file.u32(at) : at;
  if (place + size > file.bytes.size()) return std::nullopt;
  const auto first = static_cast<std::size_t>(place);
  if (unit == 1) return Cursor::byte(file.bytes, first);
  if (unit == 2) return type == 8 ? static_cast<std::int16_t>(file.u16(first)) : static_cast<int>(file.u16(first));
  return static_cast<int>(file.u32(first));
}

}  // namespace

std::optional<int> exif_orientation(ByteView tiff) {
  using namespace std::string_view_literals;
  // JPEG's APP1 segment has this prefix, PNG's eXIf chunk has not.
  if (starts_with(tiff, "Exif\0\0"sv)) tiff = tiff.subspan(6);
  // Pillow accepts the number 42 in either order.
  const bool little = starts_with(tiff, "II\x2a\0"sv) || starts_with(tiff, "II\0\x2a"sv);
  const bool big = starts_with(tiff, "MM\0\x2a"sv) || starts_with(tiff, "MM\x2a\0"sv);
  if ((!little && !big) || tiff.size() < 8) return std::nullopt;
  const Integers file{tiff, big};
  const std::uint64_t directory = file.u32(4);
  if (directory + 2 > tiff.size()) return std::nullopt;
  const std::uint32_t entries = file.u16(static_cast<std::size_t>(directory));
  // A directory that is cut short is read as far as its entries are whole.
  for (std::uint64_t i = 0, at = directory + 2; i < entries && at + 12 <= tiff.size(); ++i, at += 12) {
    const auto entry = static_cast<std::size_t>(at);
    // 274 is Orientation. Only the first directory is read; the second describes a thumbnail.
    if (file.u16(entry) == 274) return value(file, file.u16(entry + 2), file.u32(entry + 4), entry + 8);
  }
  return std::nullopt;
}

}  // namespace vise::images
