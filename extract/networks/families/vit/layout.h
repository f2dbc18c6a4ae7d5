// A key layout of ViTs: by which names, joined or cut how, a published kind of file holds vit.h's parameters, and what
// the code that reads such files fixes beside its tensors.
//
// A layout is a table. layout_keys.h reads files by it; families/vit/layouts/ has one source a group of tables, each
// with the code it was read from. Keys are given without the place's prefix; those below `root` without it too.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "extract/networks/facts.h"
#include "extract/networks/families/vit/vit.h"
#include "extract/networks/key_index.h"

namespace vise::networks {

// The start of vit.h's name and that of the file's, of whole components: {"attn.proj", "attn.out_proj"}.
using Renaming = std::pair<std::string, std::string>;

struct VitLayout {
  std::string name;  // Place::layout: "openai"
  std::string code;  // whose it is, for the sources of facts: "OpenAI's and open_clip's code"

  std::string root{};                     // what all keys but the projection's begin with: "vision_model."
  std::string block = "blocks.";          // then the block's number and a '.'
  std::vector<Renaming> top{}, inside{};  // of keys outside and inside of blocks; others keep their names

  // "" where the layout has none. `registers` and the table are [1, n, C] or [n, C], tokens [1, 1, C] or [C].
  std::string class_token = "cls_token", distillation_token = "dist_token", registers = "reg_token";
  std::string positions = "pos_embed";
  // Whether the table may begin with the prefix tokens' own positions, and may do without them.
  bool positions_of_prefix = true, positions_without_prefix = false;

  // Of queries, keys and values: one key, or three to be joined; a bias "" is zero.
  std::vector<std::string> qkv{"attn.qkv.weight"}, qkv_bias{"attn.qkv.bias"};
  std::string qkv_bias_mask{};  // multiplies the bias
  // fc1 of a gate, one key or two to be joined, and fc2's; without ".weight". A file has a gate if it has these.
  std::vector<std::string> gate{};
  std::string gate_out{};

  // In full, root included. `projection` without ".weight"; or the matrix itself, in x out.
  std::string projection{}, projection_matrix{};
  // Attention pooling's queries, keys and values are one matrix, not q and kv.
  bool map_joined = false;
  std::string periods{};  // of rotary positions
  // What may be among its keys and is not used, and its name in reports; of every block.
  std::vector<std::pair<std::string, std::string>> unused{}, unused_inside{};

  // Whether the keys below this prefix are this layout's, where one has the first block's norms. Layouts are asked in
  // their order; a file that lacks one tensor should still be recognised by another.
  bool (*is)(const KeyIndex& keys, const std::string& prefix) = nullptr;
  // Sets what the tensors could say but by this layout always are, and asks for what they don't say.
  void (*complete)(const VitLayout& layout, const KeyIndex& keys, const std::string& prefix, VitSpec& spec,
                   Facts& facts) = nullptr;
};

// All of them, in the order in which they are asked.
const std::vector<VitLayout>& vit_layouts();
// Of the same name as a place's.
const VitLayout& vit_layout(std::string_view name);

// One group of tables each.
std::vector<VitLayout> clip_vit_layouts();          // OpenAI, open_clip
std::vector<VitLayout> transformers_vit_layouts();  // CLIP, SigLIP, DINOv2, DINOv3, ViT
std::vector<VitLayout> timm_vit_layouts();          // timm, DINO, DINOv2, DINOv3, MAE, DeiT; timm's below open_clip's
std::vector<VitLayout> eva_vit_layouts();           // EVA-02-CLIP
std::vector<VitLayout> torchvision_vit_layouts();

// For the tables: whether any of these keys is there; `facts.say` on behalf of a layout; the rule, where somebody said.
bool has_any(const KeyIndex& keys, const std::string& prefix, const std::vector<std::string>& names);
void say_by_layout(const VitLayout& layout, Facts& facts, std::string_view name, std::string_view value);
std::optional<PositionRule> position_rule(Facts& facts);

}  // namespace vise::networks
