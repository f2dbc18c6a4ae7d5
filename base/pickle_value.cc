#include "base/pickle_value.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cmath>

#include "base/error.h"

namespace vise {
namespace {

constexpr std::size_t kSearchedInOrder = 8;  // dicts up to this size need no index

// The kinds are in this order for that: what may be a key or a member of a set comes first.
bool is_scalar(PickleKind kind) {
  return kind <= PickleKind::bytes;  // none, boolean, integer, big_integer, real, text, bytes
}

}  // namespace

std::string_view kind_name(PickleKind kind) {
  static constexpr std::array<std::string_view, 14> names{"None", "bool",   "int",    "int",         "float",
                                                          "str",  "bytes",  "tuple",  "list",        "dict",
                                                          "set",  "global", "object", "torch object"};
  return names[static_cast<std::size_t>(kind)];
}

PickleValue PickleValue::boolean(bool value) {
  PickleValue result;
  result.kind = PickleKind::boolean;
  result.integer = value;
  return result;
}

PickleValue PickleValue::of(std::int64_t value) {
  PickleValue result;
  result.kind = PickleKind::integer;
  result.integer = value;
  return result;
}

PickleValue PickleValue::of(double value) {
  PickleValue result;
  result.kind = PickleKind::real;
  result.real = value;
  return result;
}

PickleValue PickleValue::foreign(std::uint8_t tag, std::uint32_t index) {
  PickleValue result;
  result.kind = PickleKind::foreign;
  result.tag = tag;
  result.index = index;
  return result;
}

std::size_t PickleDict::KeyHash::operator()(const Key& key) const noexcept {
  // 2^64 divided by the golden ratio, made odd (Fibonacci hashing): the product spreads
  // small integers over the whole word.
  return std::hash<std::string_view>()(key.text) ^ (static_cast<std::uint64_t>(key.number) * 0x9E3779B97F4A7C15U) ^
         static_cast<std::size_t>(key.kind);
}

std::string PickleGlobal::full() const { return fmt::format("{}.{}", module, name); }

std::uint32_t PickleHeap::count(std::size_t place) {
  // Counted before anything is kept, so the limit bounds memory and not only the result.
  if (++values_ > limits_.values)
    throw Error(ErrorKind::input, fmt::format("the pickle holds more than {} objects", limits_.values));
  return static_cast<std::uint32_t>(place);
}

void PickleHeap::count_items(std::size_t more) {
  items_ += more;
  if (items_ > limits_.items)
    throw Error(ErrorKind::input, fmt::format("the pickle's lists and tuples hold more than {} items", limits_.items));
}

void PickleHeap::extend(PickleValue sequence, const std::vector<PickleValue>& items) {
  count_items(items.size());
  auto& into = sequences_[sequence.index];
  into.insert(into.end(), items.begin(), items.end());
}

PickleValue PickleHeap::text(std::string_view view, PickleKind kind) {
  PickleValue value;
  value.kind = kind;
  value.index = count(texts_.size());
  texts_.push_back(view);
  return value;
}

// A deque, so that views of earlier texts hold when another is added.
PickleValue PickleHeap::own_text(std::string text, PickleKind kind) {
  owned_.push_back(std::move(text));
  return this->text(owned_.back(), kind);
}

PickleValue PickleHeap::sequence(PickleKind kind, std::vector<PickleValue> items) {
  PickleValue value;
  value.kind = kind;
  value.index = count(sequences_.size());
  count_items(items.size());
  sequences_.push_back(std::move(items));
  return value;
}

PickleValue PickleHeap::dict() {
  PickleValue value;
  value.kind = PickleKind::dict;
  value.index = count(dicts_.size());
  dicts_.emplace_back();
  return value;
}

PickleValue PickleHeap::global(std::string_view module, std::string_view name) {
  PickleValue value;
  value.kind = PickleKind::global;
  value.index = count(globals_.size());
  globals_.push_back({module, name});
  return value;
}

PickleValue PickleHeap::object(PickleValue type) {
  PickleValue value;
  value.kind = PickleKind::object;
  value.index = count(objects_.size());
  objects_.push_back({type, {}});
  return value;
}

// Equal for values that Python takes for the same key, so that a later one replaces the earlier.
PickleDict::Key PickleHeap::key_of(PickleValue value) const {
  using enum PickleKind;
  switch (value.kind) {
    case none:
      return {none, 0, {}};
    case boolean:
    case integer:
      return {integer, value.integer, {}};
    case real:
      // Python's 2.0 and 2 are the same key. Below 2^62 the cast is defined; larger doubles compare by
      // their bits, which is stricter than Python and only ever keeps two entries apart.
      if (std::abs(value.real) < 0x1p62 && std::trunc(value.real) == value.real)
        return {integer, static_cast<std::int64_t>(value.real), {}};
      return {real, std::bit_cast<std::int64_t>(value.real), {}};
    default:
      return {value.kind, 0, text_of(value)};
  }
}

void PickleHeap::set_item(PickleValue dict, PickleValue key, PickleValue value) {
  // A tuple of tuples that share their parts takes exponential time to hash, and a key that
  // is a list is an error in Python too.
  if (!is_scalar(key.kind))
    throw Error(ErrorKind::input, fmt::format("a {} stands as a key of a dict", kind_name(key.kind)));
  const PickleDict::Key wanted = key_of(key);
  if (wanted.text.size() > kMaxKeyBytes)
    throw Error(ErrorKind::input,
                fmt::format("a key of a dict has {} bytes, more than {}", wanted.text.size(), kMaxKeyBytes));
  PickleDict& into = dicts_[dict.index];
  // Most dicts of a state dict's _metadata have one or two items; a hash map for each would cost more
  // than the search. Larger ones are indexed once, so that n insertions stay linear.
  if (!into.places_) {
    for (auto& item : into.items_)
      if (key_of(item.first) == wanted) return void(item.second = value);
    if (into.items_.size() == kSearchedInOrder) {
      into.places_ = std::make_unique<std::unordered_map<PickleDict::Key, std::size_t, PickleDict::KeyHash>>();
      for (std::size_t i = 0; i < into.items_.size(); ++i) into.places_->emplace(key_of(into.items_[i].first), i);
    }
  }
  if (into.places_) {
    const auto [place, added] = into.places_->try_emplace(wanted, into.items_.size());
    if (!added) return void(into.items_[place->second].second = value);
  }
  if (++dict_items_ > limits_.dict_items)
    throw Error(ErrorKind::input, fmt::format("the pickle's dicts hold more than {} items", limits_.dict_items));
  into.items_.emplace_back(key, value);
}

// Linear: a state dict is walked through as a rule, and a few names are asked for.
const PickleValue* PickleHeap::find(PickleValue dict, std::string_view key) const {
  for (const auto& [name, value] : dict_of(dict).items())
    if (name.kind == PickleKind::text && text_of(name) == key) return &value;
  return nullptr;
}

}  // namespace vise
