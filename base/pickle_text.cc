#include "base/pickle_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "base/utf8.h"

namespace vise {
namespace {

constexpr std::size_t kMaxDigits = 4300;  // Python's own limit (sys.int_info.default_max_str_digits)

[[noreturn]] void fail(const std::string& what) { throw Error(ErrorKind::input, what); }

// At most this much of a hostile text goes into a message.
std::string_view shown(std::string_view text) { return text.substr(0, 40); }

// `count` hexadecimal digits at the front of `rest`, taken off it.
std::uint32_t take_hex(std::string_view& rest, std::size_t count) {
  std::uint32_t value = 0;
  const std::string_view digits = rest.substr(0, count);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (digits.size() != count || error != std::errc() || end != digits.data() + count)
    fail(fmt::format("an escape lacks its {} hexadecimal digits", count));
  rest.remove_prefix(count);
  return value;
}

// Up to three octal digits; Python 2 keeps the low eight bits of "\777", and so does the cast.
std::uint8_t take_octal(std::string_view& rest) {
  unsigned value = 0;
  for (int i = 0; i < 3 && !rest.empty() && rest[0] >= '0' && rest[0] <= '7'; ++i, rest.remove_prefix(1))
    value = value * 8 + static_cast<unsigned>(rest[0] - '0');
  return static_cast<std::uint8_t>(value);
}

// What follows a backslash in a Python 2 string literal.
void take_escape(std::string& out, std::string_view& rest) {
  constexpr std::string_view letters = "\\'\"abfnrtv", meanings = "\\'\"\a\b\f\n\r\t\v";
  const char c = rest[0];
  if (c >= '0' && c <= '7') {
    out += static_cast<char>(take_octal(rest));
    return;
  }
  rest.remove_prefix(1);
  const std::size_t place = letters.find(c);
  if (c == 'x')
    out += static_cast<char>(take_hex(rest, 2));
  else if (place != std::string_view::npos)
    out += meanings[place];
  else if (c != '\n')  // a line continued leaves nothing
    (out += '\\') += c;
}

// Little-endian two's complement to decimal digits, by long division by 10^9.
std::string decimal(std::string_view bytes) {
  // A negative number is -(~bits + 1): the bits are inverted while they are copied, and
  // the 1 enters as the first carry.
  std::vector<std::uint32_t> limbs((bytes.size() + 3) / 4, 0);
  const bool negative = (static_cast<unsigned char>(bytes.back()) & 0x80) != 0;
  std::uint32_t carry = negative ? 1 : 0;
  for (std::size_t i = 0; i < limbs.size() * 4; ++i) {
    const std::uint32_t raw = i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : negative ? 0xFF : 0;
    const std::uint32_t value = (negative ? raw ^ 0xFF : raw) + carry;
    carry = value >> 8;
    limbs[i / 4] |= (value & 0xFF) << (8 * (i % 4));
  }
  std::string reversed;
  // Each pass divides the whole number by 10^9 and yields nine decimal digits, the lowest first;
  // the last group is written without its leading zeros.
  while (!limbs.empty()) {
    std::uint64_t remainder = 0;
    for (std::size_t i = limbs.size(); i-- > 0;) {
      const std::uint64_t value = remainder << 32 | limbs[i];
      limbs[i] = static_cast<std::uint32_t>(value / 1'000'000'000);
      remainder = value % 1'000'000'000;
    }
    while (!limbs.empty() && limbs.back() == 0) limbs.pop_back();
    for (int i = 0; i < 9 && (remainder != 0 || !limbs.empty()); ++i, remainder /= 10)
      reversed += static_cast<char>('0' + remainder % 10);
  }
  if (negative) reversed += '-';
  std::reverse(reversed.begin(), reversed.end());
  return reversed;
}

}  // namespace

// Protocol 0 wrote bool as "I00" and "I01" before NEWTRUE and NEWFALSE came with protocol 2.
PickleValue pickle_int(PickleHeap& heap, std::string_view digits) {
  if (digits == "00" || digits == "01") return PickleValue::boolean(digits == "01");
  return pickle_long(heap, digits);
}

PickleValue pickle_long(PickleHeap& heap, std::string_view digits) {
  if (!digits.empty() && digits.back() == 'L') digits.remove_suffix(1);
  const bool signed_text = !digits.empty() && (digits[0] == '-' || digits[0] == '+');
  const bool negative = signed_text && digits[0] == '-';
  if (signed_text) digits.remove_prefix(1);
  const bool all_digits = std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (digits.empty() || !all_digits) fail(fmt::format("'{}' is no whole number", shown(digits)));
  if (digits.size() > kMaxDigits) fail(fmt::format("a number has {} digits, more than {}", digits.size(), kMaxDigits));
  // All zeros keep one of them.
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size() - 1));
  const std::string text = fmt::format("{}{}", negative ? "-" : "", digits);
  std::int64_t value = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc()) return PickleValue::of(value);
  return heap.own_text(text, PickleKind::big_integer);
}

PickleValue pickle_long_bytes(PickleHeap& heap, std::string_view bytes) {
  if (bytes.empty()) return PickleValue::of(std::int64_t{0});
  // log10(256) is 2.408.
  if (bytes.size() > kMaxDigits * 5 / 12)  // 2.4 digits a byte
    fail(fmt::format("a number has {} bytes, more than {} digits", bytes.size(), kMaxDigits));
  if (bytes.size() > 8) return heap.own_text(decimal(bytes), PickleKind::big_integer);
  // All ones for a negative number, so that the copy of fewer than eight bytes is sign-extended.
  std::int64_t value = (static_cast<unsigned char>(bytes.back()) & 0x80) ? -1 : 0;
  std::memcpy(&value, bytes.data(), bytes.size());
  return PickleValue::of(value);
}

// Python's float() reads "inf" and "nan" too, and so does from_chars().
double pickle_float(std::string_view text) {
  const std::string_view digits = text.starts_with('+') ? text.substr(1) : text;
  double value = 0;
  // from_chars reads no sign '+', and never a locale's decimal comma.
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size())
    fail(fmt::format("'{}' is no number", shown(text)));
  return value;
}

// The text between its quotes, which are the first and last byte of the line.
std::string pickle_string_literal(std::string_view literal) {
  const bool quoted =
      literal.size() >= 2 && literal.front() == literal.back() && (literal.front() == '\'' || literal.front() == '"');
  if (!quoted) fail("a STRING stands without its quotes");
  std::string out;
  std::string_view rest = literal.substr(1, literal.size() - 2);
  while (!rest.empty()) {
    const char c = rest[0];
    rest.remove_prefix(1);
    if (c != '\\')
      out += c;
    else if (rest.empty())
      fail("a STRING ends in a backslash");
    else
      take_escape(out, rest);
  }
  return out;
}

// Escapes are \uXXXX and \UXXXXXXXX alone: in raw-unicode-escape a backslash otherwise stands for itself.
std::string pickle_raw_unicode(std::string_view escaped) {
  std::string out;
  while (!escaped.empty()) {
    const bool four = escaped.starts_with("\\u"), eight = escaped.starts_with("\\U");
    if (four || eight) {
      escaped.remove_prefix(2);
      append_utf8(out, take_hex(escaped, four ? 4 : 8));
      continue;
    }
    // Every other byte is a Latin-1 letter in this encoding, so it becomes the code point of its value.
    append_utf8(out, static_cast<unsigned char>(escaped[0]));
    escaped.remove_prefix(1);
  }
  return out;
}

}  // namespace vise
