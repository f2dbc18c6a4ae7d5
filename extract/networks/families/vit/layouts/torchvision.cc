// torchvision's key layout of ViTs.
//
// Source: pytorch/vision@07a929e, torchvision/models/vision_transformer.py (EncoderBlock;
// MLPBlock._load_from_state_dict renames linear_1 and linear_2 of files before 0.13).
#include "extract/networks/families/vit/layout.h"

namespace vise::networks {
namespace {

constexpr const char* kBlock = "encoder.layers.encoder_layer_";

bool is_old(const KeyIndex& keys, const std::string& prefix) {
  const std::string first = std::string(kBlock) + "0.mlp.linear_";
  return has_any(keys, prefix, {first + "1.weight", first + "1.bias", first + "2.weight", first + "2.bias"});
}
// Asked after the others, and only where this layout's blocks are.
bool is_any(const KeyIndex&, const std::string&) { return true; }

// torchvision's code fixes both facts, for all its ViTs.
void complete(const VitLayout& layout, const KeyIndex&, const std::string&, VitSpec& spec, Facts& facts) {
  spec.qkv_bias = true;
  say_by_layout(layout, facts, "eps", "1e-6");
  spec.eps = facts.eps();
  say_by_layout(layout, facts, "act", "exact");
  spec.activation = facts.activation();
  // Its interpolate_embeddings aligns corners, as no other published code does: no rule of ours.
  spec.rule = position_rule(facts);
}

// `first` and `second`: the MLP's layers, which were renamed in 0.13.
VitLayout torchvision(const char* name, const char* first, const char* second) {
  VitLayout layout{.name = name, .code = "torchvision's code"};
  layout.block = kBlock;
  layout.top = {{"patch_embed.proj", "conv_proj"}, {"pos_embed", "encoder.pos_embedding"}, {"norm", "encoder.ln"}};
  layout.inside = {{"norm1", "ln_1"},
                   {"norm2", "ln_2"},
                   {"attn.proj", "self_attention.out_proj"},
                   {"mlp.fc1", first},
                   {"mlp.fc2", second}};
  layout.class_token = "class_token";
  layout.distillation_token = layout.registers = "";
  layout.positions = "encoder.pos_embedding";
  layout.qkv = {"self_attention.in_proj_weight"};
  layout.qkv_bias = {"self_attention.in_proj_bias"};
  layout.is = is_any;
  layout.complete = complete;
  return layout;
}

}  // namespace

std::vector<VitLayout> torchvision_vit_layouts() {
  VitLayout old = torchvision("torchvision-0.12", "mlp.linear_1", "mlp.linear_2");
  old.is = is_old;
  return {old, torchvision("torchvision", "mlp.0", "mlp.3")};
}

}  // namespace vise::networks
