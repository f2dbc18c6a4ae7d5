// Whether a name in an archive of strangers leads to a place within it.
#pragma once

#include <string>
#include <string_view>

namespace vise {

// "" for a good name; else what is wrong, to be put behind it: "is absolute", "leads out of the archive" (".."), "has a
// backslash", "has a NUL", "is not UTF-8", "is empty", "has more than 4096 bytes".
std::string archive_name_fault(std::string_view name);

}  // namespace vise
