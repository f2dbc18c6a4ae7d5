// Names that are too long for their place lose their middle: variants of one thing differ at their ends.
#pragma once

#include <string>
#include <string_view>

namespace vise::reports {

// The text, or its two ends around "..." so that it takes at most `width` columns (8 or more; layout.h: display_width).
std::string shortened(std::string_view utf8, std::size_t width);

}  // namespace vise::reports
