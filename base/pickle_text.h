// The text arguments of pickle opcodes (Python's pickle.py and pickletools.py say what each holds).
//
// All throw Error{input} for what Python's own reader refuses.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/pickle_value.h"

namespace vise {

// INT and LONG: decimal digits, a trailing L allowed for LONG; "00" and "01" are the booleans of INT.
PickleValue pickle_int(PickleHeap& heap, std::string_view digits);
PickleValue pickle_long(PickleHeap& heap, std::string_view digits);
// LONG1 and LONG4: little-endian two's complement, nothing is 0.
PickleValue pickle_long_bytes(PickleHeap& heap, std::string_view bytes);
// FLOAT.
double pickle_float(std::string_view text);
// STRING: a Python 2 literal in quotes, with its escapes; UNICODE: raw-unicode-escape.
std::string pickle_string_literal(std::string_view literal);
std::string pickle_raw_unicode(std::string_view escaped);

}  // namespace vise
