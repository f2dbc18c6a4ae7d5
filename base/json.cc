#include "base/json.h"

#include <fmt/format.h>

#include "base/error.h"

namespace vise {

Json parse_json(std::string_view text, std::string_view name_for_messages) {
  try {
    return Json::parse(text);
  } catch (const Json::exception& e) {  // also a number beyond double
    throw Error(ErrorKind::input, fmt::format("{}: is not JSON: {}", name_for_messages, e.what()));
  }
}

Json read_json(const Path& path, std::uint64_t max_bytes) {
  return parse_json(read_text_file(path, max_bytes), path.string());
}

std::string canonical_json(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace vise
