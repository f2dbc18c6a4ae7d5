#include "extract/networks/key_matcher.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "base/error.h"
#include "base/text.h"
#include "base/utf8.h"
#include "extract/networks/beside.h"

namespace vise::networks {
namespace {

constexpr std::size_t kShown = 5;

// Without an early exit, so that the loop is vectorised.
bool all_finite(const std::vector<float>& values) {
  bool finite = true;
  // All ones in the exponent is infinity or NaN. Training that diverged leaves such files,
  // and their features would be NaN without a word.
  for (const float value : values) finite &= (std::bit_cast<std::uint32_t>(value) & 0x7F800000) != 0x7F800000;
  return finite;
}

std::string first_few(const std::vector<std::string>& items) {
  std::vector<std::string> shown;
  for (std::size_t i = 0; i < std::min(items.size(), kShown); ++i) shown.push_back(printable(items[i].substr(0, 200)));
  return join(shown, ", ") + (items.size() > kShown ? ", ..." : "");
}

constexpr std::string_view kStrictly = "weights are loaded strictly: backbone inspect shows what the file holds";

// Every tensor of the network is there: how to leave out what else is, in as few words as name it.
std::string drop_hint(const std::vector<std::string>& unexpected, const std::string& prefix) {
  std::vector<std::string> words;
  for (const std::string& name : unexpected) {
    const std::vector<std::string> parts = split(name.starts_with(prefix) ? name.substr(prefix.size()) : name, '.');
    auto first = std::ranges::find_if_not(parts, is_wrapper);
    if (first == parts.end()) --first;
    const std::string word = "drop=" + printable(first->substr(0, 80));
    if (std::ranges::find(words, word) == words.end()) words.push_back(word);
  }
  const bool many = words.size() > kShown;
  words.resize(std::min(words.size(), kShown));
  return fmt::format("the network is whole; where the rest is no part of it, leave it out: {}{}", join(words, ","),
                     many ? ",..." : "");
}

}  // namespace

// The prefix's own tensors must have one name each; elsewhere nothing is loaded.
KeyMatcher::KeyMatcher(const KeyIndex& keys, const Place& place, std::vector<Place> others)
    : index_(keys), prefix_(place.prefix), others_(std::move(others)) {
  std::set<std::string_view> seen;
  for (const NamedTensor& named : keys.checkpoint().tensors)
    if (named.name.starts_with(prefix_) && !seen.insert(named.name).second)
      throw Error(ErrorKind::input, fmt::format("{}: two tensors are called '{}'", keys.checkpoint().path.string(),
                                                printable(named.name.substr(0, 200))));
}

// A key that may be there and carries nothing: noted as absent where it isn't.
void KeyMatcher::skip(const std::string& key) {
  if (!find(key)) {
    absent_.push_back(key);
    return;
  }
  used_.insert(prefix_ + key);
  ++matched_;
}

// A key that the family knows to carry nothing, with the reason; one that was used stays used.
void KeyMatcher::drop(const std::string& key, const std::string& rule) {
  if (find(key) && used_.insert(prefix_ + key).second) dropped_[rule].push_back(prefix_ + key);
}

Parameter KeyMatcher::take(const std::string& key, std::vector<std::int64_t> shape, Init init) {
  const std::vector<std::int64_t> file_shape = shape;
  return take(key, std::move(shape), init, file_shape);
}

Parameter KeyMatcher::take(const std::string& key, std::vector<std::int64_t> shape, Init init,
                           const std::vector<std::int64_t>& file_shape) {
  const Tensor* const tensor = find(key);
  // Collected rather than thrown: one message then tells how many keys are missing, unexpected
  // and wrong, and names the first of each.
  if (!tensor) {
    missing_.push_back(prefix_ + key);
    return Parameter(std::move(shape));
  }
  used_.insert(prefix_ + key);
  ++matched_;
  // torch counts a batch norm's batches beside its variance; old files don't.
  if (init == Init::variance) skip(key.substr(0, key.rfind('.') + 1) + "num_batches_tracked");
  const auto wrong = [&](const std::string& why) {
    wrong_.push_back(fmt::format("{}{} {}", prefix_, key, why));
    return Parameter(shape);
  };
  if (tensor->shape != file_shape)
    return wrong(fmt::format("is {}, not {}", shape_text(tensor->shape), shape_text(file_shape)));
  if (!is_floating(tensor->dtype)) return wrong(fmt::format("holds {}", dtype_name(tensor->dtype)));
  std::vector<float> values = tensor->to_floats();
  if (!all_finite(values)) return wrong("holds NaN or infinity");
  // A square root of it is taken when norms are folded.
  if (init == Init::variance && std::any_of(values.begin(), values.end(), [](float v) { return v < 0; }))
    return wrong("is a variance and holds negative values");
  return {std::move(shape), std::move(values)};
}

// Why a key that nobody asked for may be left out: another network of the file, the user's drop=, the family's list, or
// the common one; "" where none applies.
std::string KeyMatcher::rule_for(const std::string& name, const Leftovers& may) const {
  const bool below = name.starts_with(prefix_);
  if (!below)
    for (const Place& other : others_)
      if (name.starts_with(other.prefix)) return "other branch";
  std::vector<std::string> parts = split(below ? name.substr(prefix_.size()) : name, '.');
  const auto asked = [&](const std::string& part) { return has_components(name, part); };
  if (std::ranges::any_of(may.drop, asked)) return "asked for";
  if (!below) parts.erase(parts.begin(), std::ranges::find_if_not(parts, is_wrapper));
  if (parts.empty()) return "";
  if (const auto found = may.beside.find(parts[0]); found != may.beside.end()) return found->second;
  return std::string(rule_beside(parts, below));
}

// Everything in the file is either used, dropped by a rule, or unexpected.
void KeyMatcher::sort_rest(const Leftovers& may) {
  for (const NamedTensor& named : index_.checkpoint().tensors) {
    if (used_.contains(named.name)) continue;
    const std::string rule = rule_for(named.name, may);
    if (rule.empty())
      unexpected_.push_back(named.name);
    else
      dropped_[rule].push_back(named.name);
  }
}

// `what` is the network that was expected. One message names all that is wrong.
std::vector<DroppedKeys> KeyMatcher::finish(const std::string& what, const Leftovers& may) {
  sort_rest(may);
  std::vector<std::string> problems;
  if (!missing_.empty()) problems.push_back(fmt::format("{} missing ({})", missing_.size(), first_few(missing_)));
  if (!unexpected_.empty())
    problems.push_back(fmt::format("{} unexpected ({})", unexpected_.size(), first_few(unexpected_)));
  if (!wrong_.empty()) problems.push_back(fmt::format("{} wrong ({})", wrong_.size(), first_few(wrong_)));
  if (!problems.empty())
    throw Error(ErrorKind::input,
                fmt::format("{}: not a whole {}: of its keys {}", index_.checkpoint().path.string(), what,
                            join(problems, ", ")),
                missing_.empty() && wrong_.empty() ? drop_hint(unexpected_, prefix_) : std::string(kStrictly));
  std::vector<DroppedKeys> result;
  for (auto& [rule, keys] : dropped_) result.push_back({rule, std::move(keys)});
  return result;
}

}  // namespace vise::networks
