#include "base/archive_name.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.h"

namespace vise {

std::string archive_name_fault(std::string_view name) {
  // As long as Linux's PATH_MAX.
  constexpr std::size_t kMaxName = 4096;
  if (name.empty()) return "is empty";
  if (name.size() > kMaxName) return fmt::format("has more than {} bytes", kMaxName);
  if (name[0] == '/') return "is absolute";
  // Archives made on Windows may hold backslashes as separators; to read them as part of a
  // name would give two spellings to one image.
  if (name.find('\\') != std::string_view::npos) return "has a backslash";
  if (name.find('\0') != std::string_view::npos) return "has a NUL";
  if (!is_utf8(name)) return "is not UTF-8";
  // Whole components only: "a..b" and "..." are names like any other.
  // Both ends of every component are looked at, the last one's too; empty ones ("a//b") lead nowhere and pass.
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t end = std::min(name.find('/', begin), name.size());
    if (name.substr(begin, end - begin) == "..") return "leads out of the archive";
    begin = end + 1;
  }
  return {};
}

}  // namespace vise
