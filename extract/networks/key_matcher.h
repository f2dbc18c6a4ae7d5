// Strict matching of a checkpoint's keys with a network's: every wanted key is there with the right shape and finite
// values, every other key is dropped by a rule on an explicit list, and whatever remains is an error.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "extract/networks/checkpoint/state_dict.h"
#include "extract/networks/trunk_place.h"

namespace vise {

// Keys of one kind that the network doesn't use.
struct DroppedKeys {
  std::string rule;  // "classifier", "projection head", "MoCo's queue", "training state", "other branch" ...
  std::vector<std::string> keys;
};

class KeyMatcher {
 public:
  // `rename` turns a wanted torchvision-like key into the file's, without prefix.
  KeyMatcher(const Checkpoint& checkpoint, const TrunkPlace& place, std::vector<TrunkPlace> others);

  const Tensor* find(const std::string& key) const;  // by the file's key below the prefix; nullptr if missing
  // The values of a tensor that must be there with this shape; problems are kept, and an empty vector returned.
  std::vector<float> take(const std::string& key, const std::vector<std::int64_t>& shape, bool positive = false);
  // A key that may be there and isn't used (num_batches_tracked); false when it is absent.
  bool skip(const std::string& key);
  std::size_t matched() const { return matched_; }

  // Sorts every other key by the rules; `more` are first components to drop beside the usual ones. Throws Error{input}
  // "<file>: not a whole <what>: 3 keys missing (a, b, c), 1 unexpected (d), ..." if anything is wrong.
  std::vector<DroppedKeys> finish(const std::string& what, const std::map<std::string, std::string>& more);

 private:
  void sort_rest(std::map<std::string, std::vector<std::string>>& dropped,
                 const std::map<std::string, std::string>& more);
  std::string rule_for(const std::string& name, const std::map<std::string, std::string>& more) const;

  const Checkpoint& checkpoint_;
  const std::string prefix_;
  const std::vector<TrunkPlace> others_;
  std::map<std::string, const Tensor*, std::less<>> by_name_;
  std::set<std::string, std::less<>> used_;
  std::size_t matched_ = 0;
  std::vector<std::string> missing_, unexpected_, wrong_;
};

}  // namespace vise
