// Text from outside: what is UTF-8, and what a terminal or a JSON writer may be shown.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vise {

// Bytes of the well-formed UTF-8 sequence at the front of `bytes` (RFC 3629: no overlong forms, no surrogates); 0 if
// there is none.
std::size_t utf8_sequence(std::string_view bytes);
bool is_utf8(std::string_view bytes);
// Error{input} for surrogates and code points past U+10FFFF.
void append_utf8(std::string& out, std::uint32_t code);
std::string latin1_to_utf8(std::string_view bytes);

// One more step of a JSON pointer (RFC 6901): "/" and the key with ~ as ~0 and / as ~1.
void append_pointer(std::string& pointer, std::string_view key);

// UTF-8 without control characters: those, and bytes that are not UTF-8, as \xNN.
std::string printable(std::string_view bytes);

}  // namespace vise
