// A ViT's parameters out of a file of some layout: what the file's shapes say of the network, and a source of weights
// that renames, joins and cuts as the layout's table says.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "extract/networks/families/vit/layout.h"
#include "extract/networks/key_matcher.h"

namespace vise::networks {

// The layout's names in one place of a file.
class LayoutNames {
 public:
  LayoutNames(const VitLayout& layout, const KeyIndex& keys, std::string prefix)
      : layout_(layout), keys_(keys), prefix_(std::move(prefix)) {}

  // "blocks.3.attn.proj.weight" as the file calls it, below the prefix.
  std::string file_key(std::string_view name) const;
  // Of vit.h's name within a block ("attn.proj"), and in full by the file's own.
  std::string in_block(std::string_view name) const;
  std::string block_key(int block, std::string_view key) const;

  const VitLayout& layout() const { return layout_; }
  const KeyIndex& keys() const { return keys_; }
  const std::string& prefix() const { return prefix_; }
  const Tensor* find(const std::string& file_key) const { return keys_.find(prefix_, file_key); }
  // One more than the highest block that has a key.
  int depth() const;

 private:
  const VitLayout& layout_;
  const KeyIndex& keys_;
  const std::string prefix_;
};

// What the shapes say, sizes and parts; heads, epsilon and activation are the layout's to complete. Error{input} where
// they can't be those of a ViT.
VitSpec read_vit_spec(const LayoutNames& names);

class LayoutKeys final : public WeightSource {
 public:
  // All must outlive it.
  LayoutKeys(KeyMatcher& keys, const LayoutNames& names, const VitSpec& spec)
      : keys_(keys), names_(names), layout_(names.layout()), spec_(spec) {}

  Parameter take(const std::string& name, std::vector<std::int64_t> shape, Init init) override;
  // Leaves out what may be among the network's keys.
  void drop_unused();

 private:
  Parameter in_block(int block, std::string_view name, std::vector<std::int64_t> shape, Init init);
  Parameter joined(int block, const std::vector<std::string>& keys, std::vector<std::int64_t> shape, Init init);
  Parameter projection(std::vector<std::int64_t> shape);
  Parameter of_pool(const std::string& name, std::vector<std::int64_t> shape, Init init);
  Parameter rows(const std::string& key, std::int64_t count);
  Parameter prefix_tokens();
  const Parameter& positions();

  KeyMatcher& keys_;
  const LayoutNames& names_;
  const VitLayout& layout_;
  const VitSpec& spec_;
  std::optional<Parameter> positions_, pool_weight_, pool_bias_;
};

}  // namespace vise::networks
