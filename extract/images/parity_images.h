// Tiny pictures inside the program, with what Pillow and torchvision make of them. Private to the self-test.
#pragma once

#include <span>
#include <string_view>

namespace vise::images {

struct ParityImage {
  std::string_view name;
  std::span<const unsigned char> file;
  std::string_view rgb_sha256, bilinear_sha256, bicubic_sha256;  // decoded; "imagenet"; "clip"
};

std::span<const ParityImage> parity_images();

}  // namespace vise::images
