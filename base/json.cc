#include "base/json.h"

#include <fmt/format.h>

#include <set>
#include <vector>

#include "base/error.h"

namespace vise {

// The parser's own words name the byte and what it expected there.
Json parse_json(std::string_view text, std::string_view name_for_messages) {
  std::vector<std::set<std::string>> keys;  // of the objects that are open, outermost first
  const auto refuse_second_key = [&](int, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second)
      throw Error(ErrorKind::input,
                  fmt::format("{}: has the key '{}' twice in one object", name_for_messages, parsed.get<std::string>()),
                  "leave one of the two out");
    return true;
  };
  try {
    return Json::parse(text, refuse_second_key);
  } catch (const Json::exception& e) {  // also a number beyond double
    throw Error(ErrorKind::input, fmt::format("{}: is not JSON: {}", name_for_messages, e.what()));
  }
}

Json read_json(const Path& path, std::uint64_t max_bytes) {
  return parse_json(read_text_file(path, max_bytes), path.string());
}

// Keys come sorted (Json is nlohmann's ordered-by-key map) and nothing is indented, so equal
// values give equal bytes; hashes of it are cache keys. `replace` keeps a path that is not
// UTF-8 from throwing in the middle of a run.
std::string canonical_json(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace vise
