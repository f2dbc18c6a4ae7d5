// An image in memory: 8-bit RGB, interleaved, rows top to bottom without padding, as Pillow's convert('RGB').tobytes().
#pragma once

#include <cstdint>
#include <vector>

namespace vise::images {

struct Image {
  std::uint32_t width = 0, height = 0;
  std::vector<std::uint8_t> pixels;  // height * width * 3
};

}  // namespace vise::images
