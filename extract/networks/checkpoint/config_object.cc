#include "extract/networks/checkpoint/config_object.h"

#include <fmt/format.h>

#include <cmath>

#include "base/error.h"
#include "base/utf8.h"

namespace vise::networks {
namespace {

// Bounds on the fields that are asked for: their lists are means and sizes, their whole
// numbers widths, edges and heads.
constexpr std::size_t kMaxBytes = 4'000'000, kMaxList = 8;
constexpr int kMaxDepth = 32;
constexpr std::int64_t kMaxWhole = 1'000'000;

}  // namespace

Json parse_config(std::string_view text, std::string_view name) {
  if (text.size() > kMaxBytes)
    throw Error(ErrorKind::input,
                fmt::format("{}: has {} bytes; no config has more than {}", name, text.size(), kMaxBytes));
  // nlohmann's parser keeps its own stack, but destroys deep values recursively, so depth
  // is refused while it is read.
  const auto bounded = [&](int depth, Json::parse_event_t, Json&) {
    if (depth > kMaxDepth) throw Error(ErrorKind::input, fmt::format("{}: is nested deeper than {}", name, kMaxDepth));
    return true;
  };
  try {
    Json json = Json::parse(text, bounded);
    if (!json.is_object()) throw Error(ErrorKind::input, fmt::format("{}: is no JSON object", name));
    return json;
  } catch (const Json::parse_error& e) {
    throw Error(ErrorKind::input, fmt::format("{}: is not JSON from its byte {} on", name, e.byte));
  } catch (const Json::out_of_range&) {  // 1e999 is JSON and no double
    throw Error(ErrorKind::input, fmt::format("{}: holds a number beyond a double's range", name));
  }
}

ConfigObject::ConfigObject(const Json& json, std::string place) : json_(&json), place_(std::move(place)) {
  if (!json.is_object())
    throw Error(ErrorKind::input, fmt::format("{}: is a {}, not an object", place_, json.type_name()));
  place_ += ": ";
}

const Json* ConfigObject::find(std::string_view key) const {
  const auto found = json_->find(key);
  // transformers writes null for a field that has no value; it says as little as a field that is left out.
  return found == json_->end() || found->is_null() ? nullptr : &*found;
}

// `what` may repeat the file's own text, which is made harmless for a terminal.
void ConfigObject::refuse(std::string_view key, const std::string& what, const std::string& hint) const {
  throw Error(ErrorKind::input, fmt::format("{}{} {}", place_, key, printable(what)), hint);
}

void ConfigObject::wrong_type(std::string_view key, const Json& value, std::string_view wanted) const {
  refuse(key, fmt::format("is a {}, not {}", value.type_name(), wanted));
}

std::optional<std::string> ConfigObject::text(std::string_view key) const {
  const Json* const value = find(key);
  if (!value) return std::nullopt;
  if (!value->is_string()) wrong_type(key, *value, "a text");
  // Such a text may end up in a message or in a table's foot.
  return value->get<std::string>().substr(0, 200);
}

std::optional<bool> ConfigObject::boolean(std::string_view key) const {
  const Json* const value = find(key);
  if (!value) return std::nullopt;
  if (!value->is_boolean()) wrong_type(key, *value, "true or false");
  return value->get<bool>();
}

std::optional<double> ConfigObject::real(std::string_view key) const {
  const Json* const value = find(key);
  if (!value) return std::nullopt;
  if (!value->is_number()) wrong_type(key, *value, "a number");
  const auto number = value->get<double>();
  if (!std::isfinite(number)) refuse(key, "is not finite");
  return number;
}

// Edges, widths and numbers of heads: none is negative, and none is above a million.
std::optional<std::int64_t> ConfigObject::whole(std::string_view key) const {
  const std::optional<double> number = real(key);
  if (!number) return std::nullopt;
  // Python writes 224.0 for 224 where a config was computed, so a float that is whole is accepted.
  if (*number < 0 || *number > static_cast<double>(kMaxWhole) || *number != std::floor(*number))
    refuse(key, fmt::format("is {}, not a whole number up to {}", *number, kMaxWhole));
  return static_cast<std::int64_t>(*number);
}

std::optional<ConfigObject> ConfigObject::object(std::string_view key) const {
  const Json* const value = find(key);
  if (!value) return std::nullopt;
  if (!value->is_object()) wrong_type(key, *value, "an object");
  ConfigObject inner(*value, "");
  inner.place_ = fmt::format("{}{}.", place_, key);
  return inner;
}

std::optional<std::vector<double>> ConfigObject::reals(std::string_view key) const {
  const Json* const value = find(key);
  if (!value) return std::nullopt;
  if (!value->is_array() || value->size() > kMaxList) wrong_type(key, *value, "a short list of numbers");
  std::vector<double> numbers;
  for (const Json& each : *value) {
    if (!each.is_number() || !std::isfinite(each.get<double>()))
      refuse(key, "holds something else than finite numbers");
    numbers.push_back(each.get<double>());
  }
  return numbers;
}

// For fields that have two forms, as size: 224 or {"height": 224, "width": 224}.
bool ConfigObject::is_object(std::string_view key) const { return has(key) && find(key)->is_object(); }
bool ConfigObject::is_list(std::string_view key) const { return has(key) && find(key)->is_array(); }

}  // namespace vise::networks
