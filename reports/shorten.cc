#include "reports/shorten.h"

#include <vector>

#include "reports/layout.h"

namespace vise::reports {

std::string shortened(std::string_view utf8, std::size_t width) {
  if (display_width(utf8) <= width) return std::string(utf8);
  std::vector<std::string> letters;  // code points
  for (const char c : utf8) {
    const bool continues = (static_cast<unsigned char>(c) & 0xC0) == 0x80;
    if (!continues || letters.empty()) letters.emplace_back();
    letters.back() += c;
  }
  // The middle goes: names of models differ at their ends as often as at their beginnings.
  const std::size_t room = width - 3;
  // The head gets the odd column. Widths, not letters, are counted: an East Asian letter takes two columns.
  std::string head, tail;
  for (std::size_t i = 0; display_width(head) + display_width(letters[i]) <= room - room / 2; ++i) head += letters[i];
  for (std::size_t i = letters.size(); display_width(tail) + display_width(letters[i - 1]) <= room / 2; --i)
    tail.insert(0, letters[i - 1]);
  return head + "..." + tail;
}

}  // namespace vise::reports
