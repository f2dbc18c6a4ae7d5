// A value that never changes, held once by all its copies.
//
// Results carry the same settings, features and grids thousands of times over: a copy of a Shared costs a count, not a
// map. Read it like a pointer that is never null; one without a value is T().
//
//   Shared<std::map<std::string, double>> grid = {{"C", 0.1}};
//   grid->at("C");
//
// Thread-safe as std::shared_ptr is: copies may be used and dropped anywhere.
#pragma once

#include <initializer_list>
#include <memory>
#include <utility>

namespace vise {

// Elements: what a braced list of T's elements is made into.
template <typename T, typename Elements = std::initializer_list<typename T::value_type>>
class Shared {
 public:
  Shared() = default;
  Shared(T value) : value_(std::make_shared<const T>(std::move(value))) {}
  Shared(Elements elements) : Shared(T(elements)) {}

  const T& operator*() const { return value_ ? *value_ : nothing(); }
  const T* operator->() const { return &**this; }

  friend bool operator==(const Shared& a, const Shared& b) { return a.value_ == b.value_ || *a == *b; }

 private:
  static const T& nothing() {
    static const T value{};
    return value;
  }

  std::shared_ptr<const T> value_;
};

}  // namespace vise
