// EVA-02-CLIP's key layouts: timm's, on its own and as open_clip's tower, and the authors'.
//
// Sources: huggingface/pytorch-image-models@aa4b585, timm/models/eva.py (EvaBlock, SwiGLU, RotaryEmbeddingCat;
// checkpoint_filter_fn, which tells how the authors' keys are timm's); baaivision/EVA@5623d08,
// EVA-CLIP/rei/eva_clip/eva_vit_model.py and rope.py.
#include <algorithm>

#include "extract/networks/families/vit/layout.h"

namespace vise::networks {
namespace {

// open_clip keeps timm's tower below this name.
constexpr const char* kTower = "visual.trunk.";

bool is_authors(const KeyIndex& keys, const std::string& prefix) {
  return has_any(keys, prefix,
                 {"blocks.0.attn.inner_attn_ln.weight", "blocks.0.attn.inner_attn_ln.bias",
                  "blocks.0.mlp.ffn_ln.weight", "blocks.0.mlp.ffn_ln.bias"});
}
// timm's DINOv3 has such gates too, but its queries, keys and values are one.
const std::vector<std::string> kApart{"blocks.0.attn.q_proj.weight", "blocks.0.attn.k_proj.weight",
                                      "blocks.0.attn.v_proj.weight"};
bool is_timm(const KeyIndex& keys, const std::string& prefix) {
  return !prefix.ends_with(kTower) && has_any(keys, prefix, kApart);
}
bool is_tower(const KeyIndex& keys, const std::string& prefix) { return has_any(keys, prefix + kTower, kApart); }

void complete(const VitLayout& layout, const KeyIndex& keys, const std::string& prefix, VitSpec& spec, Facts& facts) {
  say_by_layout(layout, facts, "eps", "1e-6");
  spec.eps = facts.eps();
  spec.qkv_bias = true;
  spec.mlp_norm = true;
  // 10000 is the base of the paper's rotary frequencies, and places are counted in cells (EVA-02, rope.py).
  spec.rope = VitRope{Rope::Coordinate::cells, Rope::Pairing::pairs, 10000.0};
  // The authors' fc_norm is of a mean that the class token enters, which no published CLIP of theirs has: it is
  // refused.
  if (layout.name == "eva02" && spec.end == VitSpec::End::mean) spec.end = VitSpec::End::tokens;
  // The head of a CLIP is its projection; of a network with fc_norm a classifier.
  const std::int64_t out =
      std::max(keys.size(prefix, layout.projection + ".weight", 0), keys.size(prefix, layout.projection + ".bias", 0));
  if (spec.end == VitSpec::End::tokens && out > 0) {
    spec.end = VitSpec::End::class_token;
    spec.projection = static_cast<int>(out);
    spec.projection_bias = true;
  }
  if (layout.name != "eva02") say_by_layout(layout, facts, "positions", "antialias");
  spec.rule = position_rule(facts);
}

// Queries and values have a bias, keys have none: "" means zeros.
VitLayout timm_keys(const char* name, const char* root) {
  VitLayout layout{.name = name, .code = "timm's code"};
  layout.root = root;
  layout.distillation_token = layout.registers = "";
  layout.qkv = {"attn.q_proj.weight", "attn.k_proj.weight", "attn.v_proj.weight"};
  layout.qkv_bias = {"attn.q_proj.bias", "", "attn.v_proj.bias"};
  layout.gate = {"mlp.fc1_g", "mlp.fc1_x"};
  layout.gate_out = "mlp.fc2";
  layout.projection = layout.root + "head";
  layout.complete = complete;
  return layout;
}

// The same network by the authors' names; its tables of rotary positions follow from the sizes.
VitLayout authors_keys() {
  VitLayout layout = timm_keys("eva02", "");
  layout.code = "EVA's code";
  layout.inside = {{"attn.norm", "attn.inner_attn_ln"}, {"mlp.norm", "mlp.ffn_ln"}};
  layout.qkv_bias = {"attn.q_bias", "", "attn.v_bias"};
  layout.gate = {"mlp.w1", "mlp.w2"};
  layout.gate_out = "mlp.w3";
  for (const char* key : {"rope.freqs_cos", "rope.freqs_sin"}) {
    layout.unused.emplace_back(key, "tables of rotary positions");
    layout.unused_inside.emplace_back(std::string("attn.") + key, "tables of rotary positions");
  }
  layout.is = is_authors;
  return layout;
}

}  // namespace

// The authors' layout is asked first: its files have the keys of timm's, too.
std::vector<VitLayout> eva_vit_layouts() {
  VitLayout alone = timm_keys("timm-eva02", ""), tower = timm_keys("open_clip-timm-eva02", kTower);
  alone.is = is_timm;
  tower.is = is_tower;
  return {authors_keys(), tower, alone};
}

}  // namespace vise::networks
