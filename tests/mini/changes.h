// Changes of annotation files as people and programs make them: fields removed, emptied, of another type, twice.
//
//   Choices choices(bytes);                        // a fuzzer's, or a random stream's
//   change(texts, choices);                        // texts by path
//
// Tables are changed by cell, row and column, JSON by value, key and element, and both by the byte.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>

namespace vise::test {

// Numbers drawn from bytes; 0 when they are used up.
class Choices {
 public:
  explicit Choices(std::span<const std::uint8_t> bytes) : rest_(bytes) {}
  // 0 to n - 1.
  std::size_t below(std::size_t n);
  bool used_up() const { return rest_.empty(); }

 private:
  std::span<const std::uint8_t> rest_;
};

// One to eight changes of one file each.
void change(std::map<std::string, std::string>& texts, Choices& choices);

}  // namespace vise::test
