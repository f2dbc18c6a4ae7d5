#include "reports/thumbnail.h"

#include <fmt/format.h>
#include <webp/encode.h>

#include <memory>

#include "base/base64.h"
#include "base/error.h"
#include "extract/images/decode/decode.h"
#include "extract/images/shown.h"

namespace vise::reports {

// The middle square, as networks see it after resizing and cropping: what is outside did not count.
images::Image thumbnail(ByteView image, const std::string& name, unsigned side) {
  return images::middle_square(images::decode_image(image, name), side);
}

std::string picture_uri(const images::Image& picture) {
  // WebP inside the page, as data: the page loads nothing from anywhere, and must stay
  // small enough to be mailed.
  constexpr float kQuality = 70;
  const int width = static_cast<int>(picture.width), height = static_cast<int>(picture.height);
  std::uint8_t* encoded = nullptr;
  const std::size_t size = WebPEncodeRGB(picture.pixels.data(), width, height, 3 * width, kQuality, &encoded);
  const std::unique_ptr<std::uint8_t, decltype(&WebPFree)> owner(encoded, WebPFree);
  if (size == 0)
    throw Error(ErrorKind::system, fmt::format("a picture of {} x {} could not be encoded", width, height));
  return fmt::format("data:image/webp;base64,{}", base64(std::as_bytes(std::span(encoded, size))));
}

}  // namespace vise::reports
