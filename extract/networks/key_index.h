// A checkpoint's keys, for looking up, and the places in it where families find a network.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "extract/networks/checkpoint/state_dict.h"

namespace vise::networks {

struct Family;

// The checkpoint must outlive it.
class KeyIndex {
 public:
  explicit KeyIndex(const Checkpoint& checkpoint);

  const Checkpoint& checkpoint() const { return *checkpoint_; }
  bool has(std::string_view prefix, std::string_view key) const { return find(prefix, key) != nullptr; }
  // Null where there is none.
  const Tensor* find(std::string_view prefix, std::string_view key) const;
  // Of every key that ends in `key` after nothing or a '.': what precedes it, in the file's order.
  std::vector<std::string> prefixes_before(std::string_view key) const;
  // One more than the highest N of any "<prefix><start>N.<...>": a number that is missing between is a missing key.
  int numbered(std::string_view prefix, std::string_view start) const;
  // How many there are of "<prefix><start>N<end>", N = 0, 1, ... without a gap.
  int count(std::string_view prefix, std::string_view start, std::string_view end) const;
  // The length of a dimension of a tensor that may not be there, or may have fewer dimensions: 0 then.
  std::int64_t size(std::string_view prefix, std::string_view key, std::size_t dimension) const;

 private:
  const Checkpoint* checkpoint_;
  std::unordered_map<std::string_view, const Tensor*> by_name_;
};

struct Place {
  std::string prefix;              // "" or ending in '.'
  std::string layout;              // "torchvision", "vise-sequential", "openai"
  const Family* family = nullptr;  // filled in by find_places
};

}  // namespace vise::networks
