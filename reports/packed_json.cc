#include "reports/packed_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <unordered_map>
#include <vector>

namespace vise::reports {
namespace {

// In order, which nlohmann's objects keep sorted: equal sets of keys are equal vectors.
std::vector<std::string> keys_of(const Json& object) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.push_back(key);
  return keys;
}

// Objects and arrays to arrays with their kind; the keys of objects are collected.
class Shapes {
 public:
  Json encode(const Json& value) {
    if (value.is_object()) return object(value);
    if (value.is_array()) return is_table(value) ? table(value) : list(value);
    if (!value.is_number_float() || !std::isfinite(value.get<double>())) return value;
    // Eight digits are more than a chart can show and half of what a double is written with.
    return std::strtod(fmt::format("{:.8g}", value.get<double>()).c_str(), nullptr);
  }

  const Json& keys() const { return keys_; }

 private:
  // The number of this set of keys, given at its first occurrence.
  std::size_t shape(const Json& object) {
    std::vector<std::string> keys = keys_of(object);
    const auto [found, is_new] = known_.emplace(keys, keys_.size());
    if (is_new) keys_.push_back(std::move(keys));
    return found->second;
  }

  // Two objects and more that have one set of keys are written as columns: each key once instead of once a row.
  static bool is_table(const Json& array) {
    if (array.size() < 2 || !array[0].is_object() || array[0].empty()) return false;
    const std::vector<std::string> keys = keys_of(array[0]);
    return std::ranges::all_of(array, [&](const Json& item) { return item.is_object() && keys_of(item) == keys; });
  }

  Json object(const Json& value) {
    Json result = {shape(value) + 1};
    for (const auto& [key, item] : value.items()) result.push_back(encode(item));
    return result;
  }

  Json list(const Json& value) {
    Json result = {0};
    for (const Json& item : value) result.push_back(encode(item));
    return result;
  }

  Json table(const Json& value) {
    Json result = {-1, shape(value[0])};
    for (const auto& [key, first] : value[0].items()) {
      Json column = {0};
      for (const Json& item : value) column.push_back(encode(item[key]));
      result.push_back(std::move(column));
    }
    return result;
  }

  std::map<std::vector<std::string>, std::size_t> known_;
  Json keys_ = Json::array();
};

// What occurs more than once and is longer than a reference is kept once.
class Sharing {
 public:
  explicit Sharing(const Json& encoded) { count(encoded); }

  // The value with every repeated part replaced. Parts are looked up by their text, which is exact and needs no hash
  // of our own.
  Json share(const Json& value) {
    if (!is_worth_it(value)) return value;
    const std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
    const auto known = places_.find(text);
    if (known != places_.end()) return {-2, known->second};
    Json inner = value.is_array() ? Json::array() : value;
    if (value.is_array())
      for (const Json& item : value) inner.push_back(share(item));
    // A reference ([-2, place]) is about that long.
    if (text.size() <= kReference || counts_.at(text) < 2) return inner;
    shared_.push_back(std::move(inner));
    places_.emplace(text, shared_.size() - 1);
    return {-2, shared_.size() - 1};
  }

  const Json& shared() const { return shared_; }

 private:
  static constexpr std::size_t kReference = 12;

  static bool is_worth_it(const Json& value) { return value.is_array() || value.is_string(); }

  // A value that was met before isn't looked into again: what it holds is shared with it.
  void count(const Json& value) {
    if (!is_worth_it(value)) return;
    if (++counts_[value.dump(-1, ' ', false, Json::error_handler_t::replace)] > 1 || !value.is_array()) return;
    for (const Json& item : value) count(item);
  }

  std::unordered_map<std::string, std::size_t> counts_, places_;
  Json shared_ = Json::array();
};

}  // namespace

Json packed(const Json& value) {
  Shapes shapes;
  const Json encoded = shapes.encode(value);
  Sharing sharing(encoded);
  Json root = sharing.share(encoded);
  return Json::array({shapes.keys(), sharing.shared(), std::move(root)});
}

}  // namespace vise::reports
