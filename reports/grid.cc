#include "reports/grid.h"

#include <algorithm>

namespace vise::reports {
namespace {

// A code point and its bytes; an invalid byte is one code point.
std::pair<char32_t, std::size_t> next_code_point(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  // Names are shown as they are, broken UTF-8 included, so this reader refuses nothing.
  const unsigned char first = byte(0);
  const std::size_t length = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1;
  if (length == 1 || length > text.size()) return {first, 1};
  char32_t code = first & (0x7F >> length);
  for (std::size_t i = 1; i < length; ++i) code = code << 6 | (byte(i) & 0x3F);
  return {code, length};
}

// Columns that a terminal gives to a code point: 0, 1 or 2.
std::size_t code_point_width(char32_t c) {
  // Combining marks, zero-width characters and variation selectors take no column; East Asian
  // wide ones and emoji two (Unicode Standard Annex 11).
  if ((c >= 0x300 && c <= 0x36F) || (c >= 0x200B && c <= 0x200F) || (c >= 0xFE00 && c <= 0xFE0F)) return 0;
  const bool wide = (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF) || (c >= 0xAC00 && c <= 0xD7A3) ||
                    (c >= 0xF900 && c <= 0xFAFF) || (c >= 0xFE30 && c <= 0xFE6F) || (c >= 0xFF00 && c <= 0xFF60) ||
                    (c >= 0xFFE0 && c <= 0xFFE6) || (c >= 0x1F300 && c <= 0x1FAFF) || (c >= 0x20000 && c <= 0x3FFFD);
  return wide ? 2 : 1;
}

}  // namespace

std::size_t display_width(std::string_view utf8) {
  // Nearly all names are ASCII, and tables of thousands of rows measure each cell several times.
  const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
  if (std::ranges::all_of(utf8, is_ascii)) return utf8.size();
  std::size_t width = 0;
  while (!utf8.empty()) {
    const auto [code, length] = next_code_point(utf8);
    width += code_point_width(code);
    utf8.remove_prefix(length);
  }
  return width;
}

std::string padded(std::string_view utf8, std::size_t width, bool right_aligned) {
  const std::size_t own = display_width(utf8);
  const std::string blanks(own < width ? width - own : 0, ' ');
  return right_aligned ? blanks + std::string(utf8) : std::string(utf8) + blanks;
}

}  // namespace vise::reports
