// The style, scripts and library of the page, embedded at build time (embed.cmake).
#pragma once

#include <string_view>

namespace vise::reports::page {

extern const std::string_view kStyle, kScript;
extern const std::string_view kLibrary;  // the modules of D3 that the script uses, with their licences

}  // namespace vise::reports::page
