// Pictures for people, never for networks: small, and cut as a page wants them.
//
// OpenCV's area means (cv::INTER_AREA): every pixel of the source counts, none is sharpened. Thread-safe: no state.
#pragma once

#include <cstdint>

#include "extract/images/image.h"

namespace vise::images {

// The middle square, side x side.
Image middle_square(const Image& image, std::uint32_t side);

// The whole picture, at most `side` pixels wide and high; never enlarged.
Image fitted(const Image& image, std::uint32_t side);

}  // namespace vise::images
