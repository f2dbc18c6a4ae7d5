// An Image as OpenCV takes it: the one place where they meet. OpenCV draws what is shown, and copies parts of pictures
// and turns them about; pixels that are measured are Pillow's, to the last bit (transform/), and files are decoded and
// encoded elsewhere (no imgcodecs here).
#pragma once

#include <cassert>
#include <opencv2/core.hpp>
#include <span>

#include "extract/images/image.h"

namespace vise::images {

// height x width of three bytes, red first; shares the pixels, so they must outlive it.
inline cv::Mat mat_view(std::span<std::uint8_t> rgb, std::size_t width) {
  assert(width > 0 && rgb.size() % (3 * width) == 0);
  return {static_cast<int>(rgb.size() / (3 * width)), static_cast<int>(width), CV_8UC3, rgb.data()};
}
inline cv::Mat mat_view(Image& image) { return mat_view(std::span(image.pixels), image.width); }

// To be read only: cv::Mat knows no const pixels.
inline cv::Mat mat_view(std::span<const std::uint8_t> rgb, std::size_t width) {
  return mat_view(std::span(const_cast<std::uint8_t*>(rgb.data()), rgb.size()), width);
}
inline cv::Mat mat_view(const Image& image) { return mat_view(std::span(image.pixels), image.width); }

}  // namespace vise::images
