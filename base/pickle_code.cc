#include "base/pickle_code.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"

namespace vise {
namespace {

[[noreturn]] void refuse(const std::string& what) { throw Error(ErrorKind::input, what); }

}  // namespace

std::string_view pickle_opcode_name(std::uint8_t opcode) {
  static const auto names = [] {
    std::array<std::string_view, 256> table{};
    constexpr std::pair<char, std::string_view> text[] = {
        {'(', "MARK"},          {'.', "STOP"},       {'0', "POP"},
        {'1', "POP_MARK"},      {'2', "DUP"},        {'F', "FLOAT"},
        {'I', "INT"},           {'J', "BININT"},     {'K', "BININT1"},
        {'L', "LONG"},          {'M', "BININT2"},    {'N', "NONE"},
        {'P', "PERSID"},        {'Q', "BINPERSID"},  {'R', "REDUCE"},
        {'S', "STRING"},        {'T', "BINSTRING"},  {'U', "SHORT_BINSTRING"},
        {'V', "UNICODE"},       {'X', "BINUNICODE"}, {'a', "APPEND"},
        {'b', "BUILD"},         {'c', "GLOBAL"},     {'d', "DICT"},
        {'}', "EMPTY_DICT"},    {'e', "APPENDS"},    {'g', "GET"},
        {'h', "BINGET"},        {'i', "INST"},       {'j', "LONG_BINGET"},
        {'l', "LIST"},          {']', "EMPTY_LIST"}, {'o', "OBJ"},
        {'p', "PUT"},           {'q', "BINPUT"},     {'r', "LONG_BINPUT"},
        {'s', "SETITEM"},       {'t', "TUPLE"},      {')', "EMPTY_TUPLE"},
        {'u', "SETITEMS"},      {'G', "BINFLOAT"},   {'B', "BINBYTES"},
        {'C', "SHORT_BINBYTES"}};
    for (const auto& [code, name] : text) table[static_cast<unsigned char>(code)] = name;
    // 0x80 to 0x98, in the order of their codes: protocols 2, 4 and 5 numbered theirs from there on.
    constexpr std::string_view high[] = {
        "PROTO",     "NEWOBJ",     "EXT1",        "EXT2",           "EXT4",      "TUPLE1",           "TUPLE2",
        "TUPLE3",    "NEWTRUE",    "NEWFALSE",    "LONG1",          "LONG4",     "SHORT_BINUNICODE", "BINUNICODE8",
        "BINBYTES8", "EMPTY_SET",  "ADDITEMS",    "FROZENSET",      "NEWOBJ_EX", "STACK_GLOBAL",     "MEMOIZE",
        "FRAME",     "BYTEARRAY8", "NEXT_BUFFER", "READONLY_BUFFER"};
    for (std::size_t i = 0; i < std::size(high); ++i) table[0x80 + i] = high[i];
    return table;
  }();
  return names[opcode];
}

std::uint8_t PickleCode::next() {
  // PEP 3154: a frame is a hint for buffering. It ends between two opcodes, and the next
  // one may be in a new frame or in none.
  if (at_ == frame_end_) frame_end_ = SIZE_MAX;
  if (at_ == bytes_.size()) refuse("the pickle ends without STOP");
  return static_cast<std::uint8_t>(bytes_[at_++]);
}

// A view, not a copy: the text of a state dict's keys is never held twice.
std::string_view PickleCode::argument(std::uint64_t size) {
  // `at_` never passes `end`, so the subtraction cannot wrap and no argument is longer than what is there.
  const std::size_t end = std::min(bytes_.size(), frame_end_);
  if (size > end - at_)
    refuse(fmt::format("its argument of {} bytes passes the end of the {}", size,
                       frame_end_ < bytes_.size() ? "frame" : "pickle"));
  const std::string_view view = bytes_.substr(at_, size);
  at_ += size;
  return view;
}

// The protocol-0 opcodes have arguments up to a newline instead of a length.
std::string_view PickleCode::line() {
  const std::size_t end = bytes_.substr(0, std::min(bytes_.size(), frame_end_)).find('\n', at_);
  if (end == std::string_view::npos) refuse("its line never ends");
  const std::string_view view = bytes_.substr(at_, end - at_);
  at_ = end + 1;
  return view;
}

void PickleCode::begin_frame() {
  // No pickler nests frames, and Python's unpickler refuses them as well.
  if (frame_end_ != SIZE_MAX) refuse("a frame begins inside a frame");
  const auto size = number<std::uint64_t>();
  if (size > bytes_.size() - at_) refuse(fmt::format("its {} bytes pass the end of the pickle", size));
  frame_end_ = at_ + size;
}

void PickleCode::refuse_length(std::int64_t length) { refuse(fmt::format("has the negative length {}", length)); }

}  // namespace vise
