// A config of strangers: JSON whose members are asked for by name and type.
//
//   const Json json = parse_config(text, "config.json");
//   const ConfigObject vision = ConfigObject(json, "config.json").object("vision_config");
//   vision.text("hidden_act", "quick_gelu");     // the second where there is none, or null
//
// Everything of another type than asked for is Error{input} with the place: "config.json: vision_config.hidden_act is a
// number, not a text". Views the Json, which must outlive it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace vise::networks {

// Error{input} for what is no JSON object, has more than 4 MB or is nested deeper than 32.
Json parse_config(std::string_view text, std::string_view name_for_messages);

class ConfigObject {
 public:
  // Error{input} unless it is an object.
  ConfigObject(const Json& json, std::string place);

  // There, and not null.
  bool has(std::string_view key) const { return find(key) != nullptr; }
  std::optional<std::string> text(std::string_view key) const;
  std::optional<bool> boolean(std::string_view key) const;
  std::optional<double> real(std::string_view key) const;         // finite
  std::optional<std::int64_t> whole(std::string_view key) const;  // 0 to 1,000,000
  std::optional<ConfigObject> object(std::string_view key) const;
  std::optional<std::vector<double>> reals(std::string_view key) const;  // a list of at most 8 finite numbers
  bool is_object(std::string_view key) const;
  bool is_list(std::string_view key) const;

  // Error{input} "config.json: vision_config.KEY WHAT".
  [[noreturn]] void refuse(std::string_view key, const std::string& what, const std::string& hint = {}) const;

 private:
  const Json* find(std::string_view key) const;
  [[noreturn]] void wrong_type(std::string_view key, const Json& value, std::string_view wanted) const;

  const Json* json_;
  std::string place_;  // "config.json: vision_config."
};

}  // namespace vise::networks
