// Text that a document's language prints as it is.
#pragma once

#include <string>
#include <string_view>

namespace vise::reports {

// Control characters become blanks; other bytes of UTF-8 stay.
std::string latex_text(std::string_view text);
std::string typst_text(std::string_view text);
// Of HTML, SVG and XML, attributes in double quotes included.
std::string markup_text(std::string_view text);

}  // namespace vise::reports
