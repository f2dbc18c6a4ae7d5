#include "extract/images/decode/decode.h"

#include <fmt/format.h>

#include <array>

#include "base/error.h"
#include "extract/images/decode/codec.h"

namespace vise::images {
namespace {

struct Codec {
  ImageFormat format;
  bool (*begins)(ByteView bytes);
  ImageHeader (*header)(const Source& source);
  Image (*decode)(const Source& source);
};

// The third byte begins the next marker; Pillow asks for it as well.
bool begins_jpeg(ByteView b) { return starts_with(b, "\xff\xd8\xff"); }
bool begins_png(ByteView b) { return starts_with(b, "\x89PNG\r\n\x1a\n"); }

bool begins_webp(ByteView b) {
  if (b.size() < 16 || !starts_with(b, "RIFF") || !starts_with(b.subspan(8), "WEBPVP8")) return false;
  // VP8 with a blank is lossy, VP8L lossless, VP8X extended.
  const char kind = static_cast<char>(Cursor::byte(b, 15));
  return kind == ' ' || kind == 'L' || kind == 'X';
}
bool begins_gif(ByteView b) { return starts_with(b, "GIF87a") || starts_with(b, "GIF89a"); }
bool begins_bmp(ByteView b) { return starts_with(b, "BM"); }
bool begins_pnm(ByteView b) {
  return b.size() >= 2 && Cursor::byte(b, 0) == 'P' && Cursor::byte(b, 1) >= '1' && Cursor::byte(b, 1) <= '6';
}
// 42 is TIFF, 43 BigTIFF, in either byte order.
// Pillow also takes 42 with its bytes the wrong way round, but libtiff, by which we read, refuses it.
bool begins_tiff(ByteView b) {
  using namespace std::string_view_literals;
  return starts_with(b, "II\x2a\0"sv) || starts_with(b, "MM\0\x2a"sv) || starts_with(b, "II\x2b\0"sv) ||
         starts_with(b, "MM\0\x2b"sv);
}

// No signature is the beginning of another, so the order decides nothing.
constexpr std::array kCodecs = {
    Codec{ImageFormat::jpeg, begins_jpeg, jpeg_header, decode_jpeg},
    Codec{ImageFormat::png, begins_png, png_header, decode_png},
    Codec{ImageFormat::webp, begins_webp, webp_header, decode_webp},
    Codec{ImageFormat::gif, begins_gif, gif_header, decode_gif},
    Codec{ImageFormat::bmp, begins_bmp, bmp_header, decode_bmp},
    Codec{ImageFormat::pnm, begins_pnm, pnm_header, decode_pnm},
    Codec{ImageFormat::tiff, begins_tiff, tiff_header, decode_tiff},
};

const Codec* find_codec(ByteView bytes) {
  for (const Codec& codec : kCodecs) {
    if (codec.begins(bytes)) return &codec;
  }
  return nullptr;
}

// What people save under a picture's name by mistake, and pictures of other kinds, in words.
std::string describe_unknown(ByteView bytes) {
  const auto first = [&](std::string_view text) { return starts_with(bytes, text); };
  if (bytes.empty()) return "the file is empty";
  if (first("<!DOCTYPE") || first("<!doctype") || first("<html") || first("<HTML"))
    return "this is an HTML page, no image";
  if (first("version https://git-lfs")) return "this is a Git LFS pointer, not the image itself";
  if (first("<svg") || first("<?xml")) return "this is XML or SVG, which has no pixels";
  if (first("PK\x03\x04")) return "this is a zip archive, no image";
  if (first("\x1f\x8b")) return "this is gzip-compressed";
  if (first("{") || first("[")) return "this is JSON text, no image";
  return "not a JPEG, PNG, WebP, GIF, BMP, PBM/PGM/PPM or TIFF file";
}

const Codec& codec_for(const Source& source) {
  if (const Codec* codec = find_codec(source.bytes)) return *codec;
  source.refuse(describe_unknown(source.bytes), "convert it to PNG or JPEG if it is a picture, else leave it out");
}

}  // namespace

void Source::refuse(std::string_view reason, std::string hint) const {
  throw Error(ErrorKind::input, fmt::format("{}: {}", name, reason), std::move(hint));
}

void Source::check_size(std::uint64_t width, std::uint64_t height) const {
  if (!width || !height) refuse("the picture has no pixels");
  // Divided, since the product of two sizes from a header may overflow.
  if (height > max_pixels / width) {
    refuse(fmt::format("{} x {} pixels are more than the limit of {}", width, height, max_pixels),
           "raise --max-pixels if the file is to be trusted");
  }
}

Image Source::make_image(std::uint64_t width, std::uint64_t height) const {
  check_size(width, height);
  Image image{static_cast<std::uint32_t>(width), static_cast<std::uint32_t>(height), {}};
  // resize() fills with zeros, and pixels that a PNG's data never reach must be black.
  image.pixels.resize(static_cast<std::size_t>(width * height) * 3);
  return image;
}

std::string_view format_name(ImageFormat format) {
  constexpr std::array names = {"JPEG", "PNG", "WEBP", "GIF", "BMP", "PPM", "TIFF"};
  return names.at(static_cast<std::size_t>(format));
}

std::optional<ImageFormat> sniff_image(ByteView bytes) {
  if (const Codec* codec = find_codec(bytes)) return codec->format;
  return std::nullopt;
}

Image decode_image(ByteView bytes, std::string_view name_for_messages, const DecodeOptions& options) {
  const Source source{bytes, name_for_messages, options.max_pixels};
  return codec_for(source).decode(source);
}

ImageHeader read_image_header(ByteView bytes, std::string_view name_for_messages, const DecodeOptions& options) {
  const Source source{bytes, name_for_messages, options.max_pixels};
  return codec_for(source).header(source);
}

}  // namespace vise::images
