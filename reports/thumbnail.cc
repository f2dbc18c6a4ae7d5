#include "reports/thumbnail.h"

#include <fmt/format.h>
#include <webp/encode.h>

#include <memory>

#include "base/error.h"
#include "extract/images/decode/decode.h"
#include "extract/images/shown.h"

namespace vise {

std::string base64(ByteView bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t j = 0; j < 3; ++j)
      group = group << 8 | (j < count ? std::to_integer<std::uint32_t>(bytes[i + j]) : 0);
    for (std::size_t digit = 0; digit < 4; ++digit)
      text += digit <= count ? kDigits[group >> (18 - 6 * digit) & 63] : '=';
  }
  return text;
}

Image thumbnail(ByteView image, const std::string& name, unsigned side) {
  return middle_square(decode_image(image, name), side);
}

std::string picture_uri(const Image& picture) {
  constexpr float kQuality = 70;
  const int width = static_cast<int>(picture.width), height = static_cast<int>(picture.height);
  std::uint8_t* encoded = nullptr;
  const std::size_t size = WebPEncodeRGB(picture.pixels.data(), width, height, 3 * width, kQuality, &encoded);
  const std::unique_ptr<std::uint8_t, decltype(&WebPFree)> owner(encoded, WebPFree);
  if (size == 0)
    throw Error(ErrorKind::system, fmt::format("a picture of {} x {} could not be encoded", width, height));
  return fmt::format("data:image/webp;base64,{}", base64(std::as_bytes(std::span(encoded, size))));
}

}  // namespace vise
