#include "extract/networks/key_index.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace vise::networks {
namespace {

// A stranger's number isn't taken for a depth beyond this.
constexpr std::int64_t kMaxNumbered = 1000;  // blocks of a network

}  // namespace

// Of two equal names the first counts here; below a network's place the matcher refuses them.
KeyIndex::KeyIndex(const Checkpoint& checkpoint) : checkpoint_(&checkpoint) {
  for (const NamedTensor& named : checkpoint.tensors) by_name_.emplace(named.name, &named.tensor);
}

const Tensor* KeyIndex::find(std::string_view prefix, std::string_view key) const {
  const auto found = by_name_.find(fmt::format("{}{}", prefix, key));
  return found == by_name_.end() ? nullptr : found->second;
}

// Whole components only: a prefix is empty or ends in a dot.
std::vector<std::string> KeyIndex::prefixes_before(std::string_view key) const {
  std::vector<std::string> prefixes;
  for (const NamedTensor& named : checkpoint_->tensors) {
    if (!named.name.ends_with(key)) continue;
    const std::string_view prefix = std::string_view(named.name).substr(0, named.name.size() - key.size());
    if (prefix.empty() || prefix.ends_with('.')) prefixes.emplace_back(prefix);
  }
  return prefixes;
}

int KeyIndex::numbered(std::string_view prefix, std::string_view start) const {
  const std::string before = fmt::format("{}{}", prefix, start);
  int highest = -1;
  // The highest number, not a count: a block that is missing in between is a missing key.
  for (const NamedTensor& named : checkpoint_->tensors) {
    if (!named.name.starts_with(before)) continue;
    const std::string_view rest = std::string_view(named.name).substr(before.size());
    std::int64_t number = 0;
    if (parse_int(rest.substr(0, rest.find('.')), number) && number >= 0 && number < kMaxNumbered)
      highest = std::max(highest, static_cast<int>(number));
  }
  return highest + 1;
}

int KeyIndex::count(std::string_view prefix, std::string_view start, std::string_view end) const {
  int count = 0;
  while (has(prefix, fmt::format("{}{}{}", start, count, end))) ++count;
  return count;
}

std::int64_t KeyIndex::size(std::string_view prefix, std::string_view key, std::size_t dimension) const {
  const Tensor* const tensor = find(prefix, key);
  return tensor && dimension < tensor->shape.size() ? tensor->shape[dimension] : 0;
}

}  // namespace vise::networks
