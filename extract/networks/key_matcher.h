// Strict matching of a checkpoint's keys with a network's: every wanted key is there with the right shape and finite
// values, every other key is dropped by a rule on an explicit list, and whatever remains is an error.
//
// A family whose files call things by other names than its build function puts a source of its own before this one,
// which renames, joins and transposes.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "extract/networks/checkpoint/state_dict.h"
#include "extract/networks/key_index.h"
#include "extract/networks/weight_source.h"

namespace vise::networks {

// Keys of one kind that the network doesn't use.
struct DroppedKeys {
  std::string rule;  // "classifier", "projection head", "MoCo's queue", "training state", "other branch" ...
  std::vector<std::string> keys;
};

// What may accompany the network and is left out, besides what beside.h lists.
struct Leftovers {
  std::map<std::string, std::string> beside{};  // the family's: first component -> rule
  std::vector<std::string> drop{};              // the user's: components, or several with dots between
};

class KeyMatcher final : public WeightSource {
 public:
  // `others`: the places that were not chosen, whose keys are dropped as another branch's.
  KeyMatcher(const KeyIndex& keys, const Place& place, std::vector<Place> others);

  const KeyIndex& index() const { return index_; }
  const std::string& prefix() const { return prefix_; }
  // By the file's key below the prefix; nullptr if missing.
  const Tensor* find(const std::string& key) const { return index_.find(prefix_, key); }
  // The values of a tensor that must be there with this shape; problems are kept, and a shape alone is returned. A
  // tensor with the same values in another shape is given by `file_shape`: [C, 1, 1] for C. With a variance its batch
  // norm's counter, num_batches_tracked, is taken for known.
  Parameter take(const std::string& key, std::vector<std::int64_t> shape, Init init) override;
  Parameter take(const std::string& key, std::vector<std::int64_t> shape, Init init,
                 const std::vector<std::int64_t>& file_shape);
  // A key that belongs to the network and isn't used (num_batches_tracked); where it is absent, that is reported.
  void skip(const std::string& key);
  // A key that may occur there and isn't the network's (mask_token): dropped by a rule of that name.
  void drop(const std::string& key, const std::string& rule);
  // Something about the network that only the family sees, as one more problem of finish(): "blocks.0.attn.qkv.bias
  // is masked and the mask is missing".
  void refuse(std::string problem) { wrong_.push_back(std::move(problem)); }

  std::size_t matched() const { return matched_; }
  const std::vector<std::string>& absent() const { return absent_; }

  // Sorts every other key by the rules. Throws Error{input}
  // "<file>: not a whole <what>: 3 keys missing (a, b, c), 1 unexpected (d), ..." if anything is wrong.
  std::vector<DroppedKeys> finish(const std::string& what, const Leftovers& may);

 private:
  void sort_rest(const Leftovers& may);
  std::string rule_for(const std::string& name, const Leftovers& may) const;

  const KeyIndex& index_;
  const std::string prefix_;
  const std::vector<Place> others_;
  std::set<std::string, std::less<>> used_;
  std::map<std::string, std::vector<std::string>> dropped_;
  std::size_t matched_ = 0;
  std::vector<std::string> missing_, unexpected_, wrong_, absent_;
};

}  // namespace vise::networks
