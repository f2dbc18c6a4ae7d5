// What the decoders of single formats share, and their names. Private to extract/decode.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/file.h"
#include "extract/images/decode/image_header.h"
#include "extract/images/image.h"

namespace vise::images {

// A file's bytes, its name for messages, and the limit on its size.
struct Source {
  ByteView bytes;
  std::string_view name;
  std::uint64_t max_pixels = 0;

  const std::uint8_t* data() const { return reinterpret_cast<const std::uint8_t*>(bytes.data()); }
  std::size_t size() const { return bytes.size(); }

  // Throws Error{input} "NAME: reason".
  [[noreturn]] void refuse(std::string_view reason, std::string hint = {}) const;
  // Refuses zero sides and more than max_pixels.
  void check_size(std::uint64_t width, std::uint64_t height) const;
  // A black picture of a checked size.
  Image make_image(std::uint64_t width, std::uint64_t height) const;
};

// A place in a Source that reads as Python's file objects do: read() gives less at the end, the others refuse.
class Cursor {
 public:
  explicit Cursor(const Source& source, std::size_t at = 0) : source_(&source), at_(at) {}

  std::size_t tell() const { return at_; }
  void seek(std::uint64_t at) { at_ = static_cast<std::size_t>(std::min<std::uint64_t>(at, SIZE_MAX)); }
  std::size_t left() const { return at_ < source_->size() ? source_->size() - at_ : 0; }

  // Up to n bytes.
  ByteView read(std::uint64_t n) {
    const auto got = static_cast<std::size_t>(std::min<std::uint64_t>(n, left()));
    const ByteView view = got ? source_->bytes.subspan(at_, got) : ByteView();
    at_ += got;
    return view;
  }
  // Exactly n bytes.
  ByteView take(std::uint64_t n) {
    if (n > left()) source_->refuse("the file is cut short");
    return read(n);
  }
  std::uint8_t u8() { return byte(take(1), 0); }
  std::uint16_t u16le() { return le16(take(2), 0); }
  std::uint16_t u16be() { return be16(take(2), 0); }
  std::uint32_t u32le() { return le32(take(4), 0); }
  std::uint32_t u32be() { return be32(take(4), 0); }

  static std::uint8_t byte(ByteView v, std::size_t i) { return std::to_integer<std::uint8_t>(v[i]); }
  static std::uint16_t le16(ByteView v, std::size_t i) {
    return static_cast<std::uint16_t>(byte(v, i) | byte(v, i + 1) << 8);
  }
  static std::uint16_t be16(ByteView v, std::size_t i) {
    return static_cast<std::uint16_t>(byte(v, i) << 8 | byte(v, i + 1));
  }
  static std::uint32_t le32(ByteView v, std::size_t i) { return le16(v, i) | std::uint32_t{le16(v, i + 2)} << 16; }
  static std::uint32_t be32(ByteView v, std::size_t i) { return std::uint32_t{be16(v, i)} << 16 | be16(v, i + 2); }

 private:
  const Source* source_;
  std::size_t at_;
};

inline bool starts_with(ByteView bytes, std::string_view text) {
  return bytes.size() >= text.size() &&
         std::equal(text.begin(), text.end(), reinterpret_cast<const char*>(bytes.data()));
}

// Pillow's cmyk2rgb (Convert.c) for one pixel.
inline void cmyk_to_rgb(const std::uint8_t* cmyk, std::uint8_t* rgb) {
  const int light = 255 - cmyk[3];
  for (int c = 0; c < 3; ++c) {
    const int product = cmyk[c] * light + 128;
    rgb[c] = static_cast<std::uint8_t>(std::clamp(light - (((product >> 8) + product) >> 8), 0, 255));
  }
}

// Each takes a Source whose beginning is the format's.
ImageHeader jpeg_header(const Source& source);
Image decode_jpeg(const Source& source);
ImageHeader png_header(const Source& source);
Image decode_png(const Source& source);
ImageHeader webp_header(const Source& source);
Image decode_webp(const Source& source);
ImageHeader gif_header(const Source& source);
Image decode_gif(const Source& source);
ImageHeader bmp_header(const Source& source);
Image decode_bmp(const Source& source);
ImageHeader pnm_header(const Source& source);
Image decode_pnm(const Source& source);
ImageHeader tiff_header(const Source& source);
Image decode_tiff(const Source& source);

}  // namespace vise::images
