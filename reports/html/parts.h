// The page's style and script, embedded at build time (embed.cmake).
#pragma once

#include <string_view>

namespace vise::page {

extern const std::string_view kStyle, kScript;

}  // namespace vise::page
