// An Image as OpenCV takes it: the one place where they meet. OpenCV draws what is shown; pixels that are measured are
// Pillow's, to the last bit (transform/), and files are decoded and encoded elsewhere (no imgcodecs here).
#pragma once

#include <opencv2/core.hpp>

#include "extract/images/image.h"

namespace vise {

// height x width of three bytes, red first; shares the pixels, so the image must outlive it.
inline cv::Mat mat_view(Image& image) {
  return {static_cast<int>(image.height), static_cast<int>(image.width), CV_8UC3, image.pixels.data()};
}

// To be read only: cv::Mat knows no const pixels.
inline cv::Mat mat_view(const Image& image) { return mat_view(const_cast<Image&>(image)); }

}  // namespace vise
