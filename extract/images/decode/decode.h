// Image files to pixels: exactly those of Pillow 9.4's Image.open(f).convert("RGB"), or an Error.
//
//   const MappedFile file(path);
//   Image image = decode_image(file.bytes(), path.string());
//
// The format is recognised by content, never by name. What Pillow refuses is refused here too (a picture cut short is
// an error, not a grey area); alpha is dropped with the stored colour kept, 16-bit grey is clipped, EXIF orientation is
// ignored, of an animation the first frame is read: docs/formats/images.md has the rules and the few exceptions, docs
// and tests take them from ../shared/data/golden/pillow.csv. A format that Pillow knows and we don't is Error{input}
// with the hint to convert it.
//
// Bytes are hostile until proven otherwise: sizes are checked against `max_pixels` from the header, before anything of
// the picture's size is allocated. Thread-safe: no state.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "extract/images/decode/image_header.h"
#include "extract/images/image.h"

namespace vise::images {

struct DecodeOptions {
  // The largest width * height that is read; Pillow's own limit.
  std::uint64_t max_pixels = 178'956'970;
};

// Nothing when the bytes begin like none of the formats. That they do says little about the rest.
std::optional<ImageFormat> sniff_image(ByteView bytes);

// Error{input}: "NAME: reason", with a hint where there is something to do about it.
Image decode_image(ByteView bytes, std::string_view name_for_messages, const DecodeOptions& options = {});

// What is known without decoding pixels; throws for files whose header Pillow refuses.
ImageHeader read_image_header(ByteView bytes, std::string_view name_for_messages, const DecodeOptions& options = {});

// Of the libraries that decode: name to version, as linked (libjpeg-turbo: as built with).
std::map<std::string, std::string> codec_versions();

}  // namespace vise::images
