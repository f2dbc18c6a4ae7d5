// PNG files for data sets that are made by code or unpacked from a table: 8 bits, grey or RGB, no filters' cleverness
// (every row uses Sub). Portable Network Graphics (PNG) Specification, 2nd edition, sections 5, 9.2 and 11.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace vise::datasets {

// `pixels` holds height x width x channels bytes, row by row; channels is 1 or 3. The file's bytes.
std::string png_bytes(std::span<const std::uint8_t> pixels, std::uint32_t width, std::uint32_t height, int channels);

}  // namespace vise::datasets
