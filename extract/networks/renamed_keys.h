// A file's own names for a family's parameters, as a table.
//
//   constexpr KeyRule kRules[]{{"stem.0", "features.0.0"},
//                              {"stages.#.downsample", "features.#*2"},
//                              {"stages.#.blocks.#.gamma", "features.#*2+1.#.layer_scale", {.after = 2}}};
//   RenamedKeys source(keys, kRules);        // "stages.3.blocks.1.gamma" is "features.7.1.layer_scale", C x 1 x 1
//   build_convnext(spec, source);
//
// The first rule whose left side is a name, or its first components, replaces them; a name without a rule is its own.
// A '#' on the left stands for digits. On the right the numbers follow again in their order: "#*2" is twice the
// number, "#+1" the next one, "#*2+1" one more than twice.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "extract/networks/key_matcher.h"

namespace vise::networks {

// Dimensions of length 1 that the file's tensor has before and after those of the parameter.
struct UnitDimensions {
  int before = 0, after = 0;
};

struct KeyRule {
  std::string_view name, file;
  UnitDimensions ones = {};
};

struct FileKey {
  std::string key;
  UnitDimensions ones;
};
FileKey file_key(std::span<const KeyRule> rules, std::string_view name);

// `keys` and `rules` must outlive it.
class RenamedKeys final : public WeightSource {
 public:
  RenamedKeys(KeyMatcher& keys, std::span<const KeyRule> rules) : keys_(keys), rules_(rules) {}
  Parameter take(const std::string& name, std::vector<std::int64_t> shape, Init init) override;

 private:
  KeyMatcher& keys_;
  std::span<const KeyRule> rules_;
};

}  // namespace vise::networks
