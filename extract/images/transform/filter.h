// The filters that pictures are resized with, by Pillow's names.
#pragma once

#include <string_view>

namespace vise::images {

enum class Filter {
  bilinear,  // triangle of half-width 1 (times the scale when shrinking)
  bicubic    // Keys' cubic, a = -0.5, half-width 2
};

std::string_view filter_name(Filter filter);

}  // namespace vise::images
