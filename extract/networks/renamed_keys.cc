#include "extract/networks/renamed_keys.h"

#include <algorithm>
#include <optional>

#include "base/text.h"

namespace vise::networks {
namespace {

struct Match {
  std::size_t length = 0;  // of the name's start that the rule replaces
  std::vector<std::int64_t> numbers;
};

// How much of the name the rule's left side covers, with the numbers at its '#'s; nothing where it doesn't fit.
std::optional<Match> match(std::string_view pattern, std::string_view name) {
  Match found;
  std::size_t& at = found.length;
  for (const char c : pattern) {
    if (c == '#') {
      const std::size_t end = std::min(name.find_first_not_of("0123456789", at), name.size());
      if (!parse_int(name.substr(at, end - at), found.numbers.emplace_back())) return std::nullopt;
      at = end;
    } else if (at == name.size() || name[at++] != c) {
      return std::nullopt;
    }
  }
  // Whole components only: the rule "stem" must not fit "stem2".
  if (at != name.size() && name[at] != '.') return std::nullopt;
  return found;
}

// What may follow a '#' on the right side, in this order.
struct Change {
  std::string_view sign;
  std::int64_t factor, summand;
};
constexpr Change kChanges[]{{"*2", 2, 0}, {"+1", 1, 1}, {"-1", 1, -1}};

// The right side with the numbers put in.
std::string filled(std::string_view file, const std::vector<std::int64_t>& numbers) {
  std::string text;
  auto number = numbers.begin();
  while (!file.empty()) {
    const bool is_number = file.front() == '#';
    if (!is_number) text += file.front();
    file.remove_prefix(1);
    if (!is_number) continue;
    std::int64_t value = *number++;
    for (const Change& change : kChanges)
      if (file.starts_with(change.sign)) {
        value = value * change.factor + change.summand;
        file.remove_prefix(change.sign.size());
      }
    text += std::to_string(value);
  }
  return text;
}

}  // namespace

FileKey file_key(std::span<const KeyRule> rules, std::string_view name) {
  for (const KeyRule& rule : rules)
    if (const auto found = match(rule.name, name))
      return {filled(rule.file, found->numbers).append(name.substr(found->length)), rule.ones};
  return {std::string(name), {}};
}

Parameter RenamedKeys::take(const std::string& name, std::vector<std::int64_t> shape, Init init) {
  const FileKey file = file_key(rules_, name);
  std::vector<std::int64_t> file_shape(static_cast<std::size_t>(file.ones.before), 1);
  file_shape.insert(file_shape.end(), shape.begin(), shape.end());
  file_shape.insert(file_shape.end(), static_cast<std::size_t>(file.ones.after), 1);
  return keys_.take(file.key, std::move(shape), init, file_shape);
}

}  // namespace vise::networks
