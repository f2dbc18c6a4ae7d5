#include "base/utf8.h"

#include <fmt/format.h>

#include "base/error.h"

namespace vise {
namespace {

[[noreturn]] void fail(const std::string& what) { throw Error(ErrorKind::input, what); }

}  // namespace

std::size_t utf8_sequence(std::string_view bytes) {
  if (bytes.empty()) return 0;
  const auto at = [&](std::size_t k) { return static_cast<unsigned char>(bytes[k]); };
  const unsigned char lead = at(0);
  if (lead < 0x80) return 1;
  // Well-formed sequences are those of the Unicode Standard's table 3-7. 0xC0 and 0xC1 could only
  // begin an overlong form, and bytes past 0xF4 only code points past U+10FFFF.
  const std::size_t tail = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
  if (lead < 0xC2 || lead > 0xF4 || bytes.size() <= tail) return 0;
  for (std::size_t k = 1; k <= tail; ++k)
    if ((at(k) & 0xC0) != 0x80) return 0;
  if ((lead == 0xE0 && at(1) < 0xA0) || (lead == 0xED && at(1) >= 0xA0)) return 0;  // overlong, surrogate
  if ((lead == 0xF0 && at(1) < 0x90) || (lead == 0xF4 && at(1) >= 0x90)) return 0;  // overlong, past U+10FFFF
  return tail + 1;
}

bool is_utf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t size = utf8_sequence(bytes);
    if (size == 0) return false;
    bytes.remove_prefix(size);
  }
  return true;
}

void append_utf8(std::string& out, std::uint32_t code) {
  if (code >= 0xD800 && code < 0xE000) fail("a text holds a lone surrogate");
  if (code > 0x10FFFF) fail("a text holds a code point past U+10FFFF");
  if (code < 0x80) {
    out += static_cast<char>(code);
    return;
  }
  const int tail = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  // The lead byte's mark for sequences of two, three and four bytes; the first entry is never used.
  constexpr unsigned char first[] = {0, 0xC0, 0xE0, 0xF0};
  out += static_cast<char>(first[tail] | code >> (6 * tail));
  for (int i = tail - 1; i >= 0; --i) out += static_cast<char>(0x80 | (code >> (6 * i) & 0x3F));
}

// Latin-1's letters are the first 256 code points.
std::string latin1_to_utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  for (const char c : bytes) append_utf8(out, static_cast<unsigned char>(c));
  return out;
}

void append_pointer(std::string& pointer, std::string_view key) {
  // RFC 6901: a reference token writes ~ as ~0 and / as ~1.
  pointer += '/';
  for (const char c : key) {
    if (c == '~')
      pointer += "~0";
    else if (c == '/')
      pointer += "~1";
    else
      pointer += c;
  }
}

std::string printable(std::string_view bytes) {
  std::string out;
  while (!bytes.empty()) {
    const std::size_t size = utf8_sequence(bytes);
    const auto first = static_cast<unsigned char>(bytes[0]);
    // Control characters of a hostile file could rewrite a terminal's lines, and a lone byte
    // would make the whole message invalid UTF-8.
    if (size == 0 || first < 0x20 || first == 0x7F)
      out += fmt::format("\\x{:02x}", first);
    else
      out += bytes.substr(0, size);
    bytes.remove_prefix(size == 0 ? 1 : size);
  }
  return out;
}

}  // namespace vise
