#include "reports/thumbnail.h"

#include <fmt/format.h>
#include <webp/encode.h>

#include <memory>

#include "base/error.h"
#include "extract/images/decode/decode.h"
#include "extract/images/transform/transform.h"

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

std::string thumbnail_uri(ByteView image, const std::string& name, unsigned side) {
  constexpr float kQuality = 70;
  const Transform transform = Transform::parse(fmt::format("resize={0},crop={0}", side));
  std::vector<std::uint8_t> rgb(transform.bytes());
  transform.pixels(decode_image(image, name), rgb);
  std::uint8_t* encoded = nullptr;
  const int edge = static_cast<int>(side);
  const std::size_t size = WebPEncodeRGB(rgb.data(), edge, edge, 3 * edge, kQuality, &encoded);
  const std::unique_ptr<std::uint8_t, decltype(&WebPFree)> owner(encoded, WebPFree);
  if (size == 0) throw Error(ErrorKind::system, fmt::format("{}: its thumbnail could not be encoded", name));
  return fmt::format("data:image/webp;base64,{}", base64(std::as_bytes(std::span(encoded, size))));
}

}  // namespace vise
