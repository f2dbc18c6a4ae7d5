// The rule of a split as YAML has it: in a task's file, and in a study's entry (plan.yaml).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/text.h"
#include "base/yaml.h"
#include "experiments/task.h"

namespace vise::experiments {
namespace {

const std::vector<std::string> kKeys{"kind",       "shares", "group", "val_from_train", "folds",
                                     "attributes", "file",   "seed",  "draws",          "number"};
const std::vector<std::string> kKinds{"official", "stratified", "grouped", "folds", "attribute", "file"};

// Reads the members of the map at `pointer`.
class SplitReader {
 public:
  SplitReader(const YamlFile& file, std::string pointer)
      : file_(file), pointer_(std::move(pointer)), map_(file.root().at(Json::json_pointer(pointer_))) {}

  std::string text(const std::string& key, const std::string& otherwise) const {
    if (!map_.contains(key)) return otherwise;
    // Another type becomes an empty text, which no check below accepts where a text is needed.
    return map_[key].is_string() ? map_[key].get<std::string>() : "";
  }

  std::int64_t whole(const std::string& key, std::int64_t otherwise, std::int64_t low, std::int64_t high) const {
    if (!map_.contains(key)) return otherwise;
    const Json& value = map_[key];
    if (!value.is_number_integer() || value.get<std::int64_t>() < low || value.get<std::int64_t>() > high)
      fail(key, fmt::format("'{}' must be a whole number from {} to {}", key, low, high));
    return value.get<std::int64_t>();
  }

  double share(const std::string& key, const Json& value) const {
    if (!value.is_number() || value.get<double>() < 0 || value.get<double>() > 1)
      fail(key, "must be a share between 0 and 1");
    return value.get<double>();
  }

  double share(const std::string& key, double otherwise) const {
    return map_.contains(key) ? share(key, map_[key]) : otherwise;
  }

  // All three together, since they must add up to 1.
  std::array<double, 3> shares(std::array<double, 3> otherwise) const {
    if (!map_.contains("shares")) return otherwise;
    const Json& given = map_["shares"];
    if (!given.is_array() || given.size() != 3) fail("shares", "'shares' must be three numbers: train, val, test");
    std::array<double, 3> result{};
    for (std::size_t i = 0; i < 3; ++i) result[i] = share("shares", given[i]);
    const double sum = result[0] + result[1] + result[2];
    // Decimals such as 0.7 + 0.2 + 0.1 add up to 1 only within rounding.
    if (std::abs(sum - 1) > 1e-9) fail("shares", fmt::format("the shares add up to {}, not to 1", number(sum)));
    return result;
  }

  std::vector<std::string> texts(const std::string& key) const {
    std::vector<std::string> list;
    if (!map_.contains(key)) return list;
    if (!map_[key].is_array()) fail(key, fmt::format("'{}' must be a list: [a, b]", key));
    for (const Json& element : map_[key]) {
      if (!element.is_string()) fail(key, fmt::format("'{}' must hold texts only", key));
      list.push_back(element.get<std::string>());
    }
    return list;
  }

  [[noreturn]] void fail(const std::string& key, const std::string& what, const std::string& hint = {}) const {
    file_.fail(key.empty() ? pointer_ : pointer_ + "/" + key, what, hint);
  }

 private:
  const YamlFile& file_;
  const std::string pointer_;
  const Json& map_;
};

}  // namespace

SplitRule parse_split(const YamlFile& file, const std::string& pointer, const Path& folder) {
  // What isn't said keeps its default. Combinations are checked at the end, where the line of `split` itself is
  // named.
  SplitRule rule;
  if (!file.root().contains(Json::json_pointer(pointer))) return rule;
  file.expect_keys(pointer, kKeys);
  const SplitReader split(file, pointer);
  rule.kind = split.text("kind", rule.kind);
  if (std::ranges::find(kKinds, rule.kind) == kKinds.end())
    split.fail("kind", fmt::format("unknown split '{}'", rule.kind), suggest(rule.kind, kKinds));
  rule.shares = split.shares(rule.shares);
  rule.group = split.text("group", "");
  rule.val_from_train = split.share("val_from_train", rule.val_from_train);
  rule.folds = static_cast<int>(split.whole("folds", rule.folds, 2, 100));
  rule.attributes = split.texts("attributes");
  rule.seed = static_cast<std::uint64_t>(split.whole("seed", 0, 0, INT64_MAX));
  rule.draws = static_cast<int>(split.whole("draws", 1, 1, 1000));
  rule.number = static_cast<int>(split.whole("number", 0, 1, 1000));
  if (const std::string path = split.text("file", ""); !path.empty()) rule.file = (folder / path).lexically_normal();
  if (rule.kind == "grouped" && rule.group.empty())
    split.fail("", "a grouped split needs 'group': the attribute that holds groups together");
  if (rule.kind == "attribute" && rule.attributes.empty())
    split.fail("", "a split by attribute needs 'attributes': those that hold train, val or test for every item");
  if ((rule.kind == "file") == rule.file.empty())
    split.fail("", "a split of kind file needs 'file', a table of id and part, and no other kind has one");
  return rule;
}

std::string split_yaml(const SplitRule& rule) {
  // A double-quoted YAML scalar is a JSON string.
  const auto quoted = [](const std::string& text) {
    return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
  };
  std::vector<std::string> parts{"kind: " + rule.kind};
  const auto add = [&](bool wanted, std::string text) {
    if (wanted) parts.push_back(std::move(text));
  };
  const SplitRule usual;
  std::vector<std::string> attributes;
  for (const std::string& name : rule.attributes) attributes.push_back(quoted(name));
  // Only what differs from the default is written, so that a plan reads like a task that a person wrote.
  add(rule.shares != usual.shares,
      fmt::format("shares: [{}, {}, {}]", number(rule.shares[0]), number(rule.shares[1]), number(rule.shares[2])));
  add(!rule.group.empty(), "group: " + quoted(rule.group));
  add(rule.val_from_train != usual.val_from_train, "val_from_train: " + number(rule.val_from_train));
  add(rule.kind == "folds", fmt::format("folds: {}", rule.folds));
  add(!attributes.empty(), fmt::format("attributes: [{}]", join(attributes, ", ")));
  if (!rule.file.empty())
    parts.push_back("file: " + quoted(std::filesystem::absolute(rule.file).lexically_normal().string()));
  add(rule.seed != 0, fmt::format("seed: {}", rule.seed));
  add(rule.draws > 1, fmt::format("draws: {}", rule.draws));
  add(rule.number > 0, fmt::format("number: {}", rule.number));
  return fmt::format("{{{}}}", join(parts, ", "));
}

}  // namespace vise::experiments
