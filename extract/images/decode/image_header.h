// What an image file says of itself before its pixels.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vise::images {

enum class ImageFormat { jpeg, png, webp, gif, bmp, pnm, tiff };

// As Pillow names it: "JPEG", "PNG", "WEBP", "GIF", "BMP", "PPM", "TIFF".
std::string_view format_name(ImageFormat format);

struct ImageHeader {
  ImageFormat format = ImageFormat::jpeg;
  std::string mode;  // Pillow's name of the stored pixels: 1, L, LA, P, RGB, RGBA, CMYK, I, I;16, ...
  std::uint32_t width = 0, height = 0;
  std::optional<int> exif_orientation;  // EXIF tag 274 where the file has it; not applied, 1 to 8 where lawful
};

}  // namespace vise::images
