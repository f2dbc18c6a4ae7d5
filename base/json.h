// JSON by nlohmann::json, with our errors and one canonical form.
//
// canonical_json sorts keys, leaves out blanks and prints doubles in their shortest exact form: equal values give equal
// bytes, so a hash of it is a key.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/file.h"
#include "base/shared_value.h"

namespace vise {

using Json = nlohmann::json;
using SharedJson = Shared<Json, Json::initializer_list_t>;

// Error{input} with the file and the parser's place when it isn't JSON. So is an object with a key twice: readers differ in
// which of the two counts (RFC 8259, section 4), and of two labels neither may be dropped in silence.
Json read_json(const Path& path, std::uint64_t max_bytes = std::uint64_t{1} << 30);
Json parse_json(std::string_view text, std::string_view name_for_messages);

std::string canonical_json(const Json& value);

}  // namespace vise
