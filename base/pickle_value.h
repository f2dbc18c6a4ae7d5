// The values a pickle describes, and the heap they live on.
//
// A PickleValue is 16 bytes: a scalar, or the number of something on its PickleHeap. The heap owns everything and frees
// it all at once, so neither nesting nor cycles can make freeing recurse, and a shared value costs nothing. Texts and
// bytes are views into the pickle where the pickle holds them unescaped; the pickle must outlive the heap.
//
// Not thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace vise {

enum class PickleKind : std::uint8_t {
  none,
  boolean,
  integer,
  big_integer,  // past 64 bits: its decimal digits, as text
  real,
  text,
  bytes,
  tuple,
  list,
  dict,
  set,
  global,  // module and name, never called by the machine
  object,  // NEWOBJ of a global: class and state
  foreign  // something of the PickleWorld's: `tag` and `index` are its own
};
std::string_view kind_name(PickleKind kind);

struct PickleValue {
  PickleKind kind = PickleKind::none;
  std::uint8_t tag = 0;
  std::uint32_t index = 0;
  union {
    std::int64_t integer = 0;
    double real;
  };

  static PickleValue boolean(bool value);
  static PickleValue of(std::int64_t value);
  static PickleValue of(double value);
  static PickleValue foreign(std::uint8_t tag, std::uint32_t index);
};

// Insertion order; a key given again keeps its place and takes the later value, as in Python.
class PickleDict {
 public:
  using Item = std::pair<PickleValue, PickleValue>;
  const std::vector<Item>& items() const { return items_; }

 private:
  friend class PickleHeap;
  // How Python compares scalars: 1, 1.0 and True are one key, "1" and b"1" are not.
  struct Key {
    PickleKind kind;
    std::int64_t number;
    std::string_view text;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const noexcept;
  };
  std::vector<Item> items_;
  std::unique_ptr<std::unordered_map<Key, std::size_t, KeyHash>> places_;  // once there are more than a few
};

struct PickleGlobal {
  std::string_view module, name;
  std::string full() const;
};

struct PickleObject {
  PickleValue type, state;
};

// What a pickle may hold before it is refused. The defaults suit a state dict (a few thousand values): together at
// most some 150 MB, whatever the pickle says.
struct PickleLimits {
  std::size_t values = 500'000;      // texts, containers, globals and objects
  std::size_t items = 1'000'000;     // of tuples, lists and sets
  std::size_t dict_items = 300'000;  // of dicts
  std::size_t memo = 300'000;
  std::size_t opcodes = 20'000'000;
};

class PickleHeap {
 public:
  static constexpr std::size_t kMaxKeyBytes = 4096;

  // Everything below throws Error{input} past a limit.
  explicit PickleHeap(const PickleLimits& limits = {}) : limits_(limits) {}
  const PickleLimits& limits() const { return limits_; }

  PickleValue text(std::string_view view, PickleKind kind = PickleKind::text);  // a view that outlives the heap
  PickleValue own_text(std::string text, PickleKind kind = PickleKind::text);
  PickleValue sequence(PickleKind kind, std::vector<PickleValue> items);  // tuple, list or set
  PickleValue dict();
  PickleValue global(std::string_view module, std::string_view name);
  PickleValue object(PickleValue type);

  // Preconditions: the value is of that kind and of this heap.
  std::string_view text_of(PickleValue value) const { return texts_[value.index]; }  // text, bytes, big_integer
  const std::vector<PickleValue>& items_of(PickleValue value) const { return sequences_[value.index]; }
  const PickleDict& dict_of(PickleValue value) const { return dicts_[value.index]; }
  const PickleGlobal& global_of(PickleValue value) const { return globals_[value.index]; }
  PickleObject& object_of(PickleValue value) { return objects_[value.index]; }
  const PickleObject& object_of(PickleValue value) const { return objects_[value.index]; }

  // Adds to a list or set.
  void extend(PickleValue sequence, const std::vector<PickleValue>& items);
  // Error{input} unless the key is a scalar, text or bytes (no tuples: hashing a shared one can take for ever).
  void set_item(PickleValue dict, PickleValue key, PickleValue value);
  // The value of a text key, or nullptr.
  const PickleValue* find(PickleValue dict, std::string_view key) const;

 private:
  PickleDict::Key key_of(PickleValue value) const;
  std::uint32_t count(std::size_t place);

  void count_items(std::size_t more);

  PickleLimits limits_;
  std::size_t values_ = 0, items_ = 0, dict_items_ = 0;
  std::deque<std::string> owned_;
  std::deque<std::string_view> texts_;
  std::deque<std::vector<PickleValue>> sequences_;
  std::deque<PickleDict> dicts_;
  std::deque<PickleGlobal> globals_;
  std::deque<PickleObject> objects_;
};

}  // namespace vise
