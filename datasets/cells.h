// What a table's cells mean, whoever wrote them.
#pragma once

#include <optional>
#include <string_view>

namespace vise::datasets {

// No value: "", and what programs write for one that is missing: NA, N/A, #N/A, <NA>, NaN, null (any case), None, "-",
// "?". A label "none" in small letters is a word.
bool is_missing(std::string_view cell);

// A finite number: "5.6", "1e-3"; with `decimal_comma` also "5,6" and "1.234,5". Nothing for any other text.
std::optional<double> parse_cell_number(std::string_view cell, bool decimal_comma);

// Whether a number can only be read with a comma for its decimal mark.
bool has_decimal_comma(std::string_view cell);

}  // namespace vise::datasets
