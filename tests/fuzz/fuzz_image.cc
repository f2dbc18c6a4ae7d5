// Any bytes as an image file: a picture of the size it says, or Error{input}; never a crash, never more pixels than
// allowed. Seeds: ../shared/data/images.
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "extract/images/decode/decode.h"
#include "extract/images/transform/transform.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const vise::images::Transform transform = vise::images::Transform::parse("squash=8,crop=none");
  constexpr std::uint64_t kMaxPixels = 1 << 20;
  const auto bytes = std::as_bytes(std::span(data, size));
  try {
    const vise::images::ImageHeader header = vise::images::read_image_header(bytes, "input", {kMaxPixels});
    const vise::images::Image image = vise::images::decode_image(bytes, "input", {kMaxPixels});
    const std::uint64_t pixels = std::uint64_t{image.width} * image.height;
    if (!pixels || pixels > kMaxPixels || image.pixels.size() != pixels * 3) std::abort();
    if (header.width != image.width || header.height != image.height) std::abort();
    std::uint8_t small[8 * 8 * 3];
    transform.pixels(image, small);
  } catch (const vise::Error& error) {
    if (error.kind() != vise::ErrorKind::input) std::abort();
  }
  return 0;
}
