// Hugging Face transformers' key layouts: CLIP, SigLIP and SigLIP 2 of fixed resolution, DINOv2, DINOv3, ViT.
//
// Sources: huggingface/transformers, models/clip/modeling_clip.py (000f1ff), siglip/modeling_siglip.py (00b2065),
// dinov2/modeling_dinov2.py (015e687), dinov2_with_registers (06fefc4), dinov3_vit/modeling_dinov3_vit.py (0882cbf),
// vit/modeling_vit.py (00a5ab1). Activation and epsilon are settings of its configs, so the config beside the file says
// them; how positions are resized is in its code.
#include "extract/networks/families/vit/layout.h"

namespace vise::networks {
namespace {

constexpr const char* kVision = "vision_model.";

// pre_layrnorm is transformers' spelling.
bool is_clip(const KeyIndex& keys, const std::string& prefix) {
  return has_any(keys, prefix + kVision, {"embeddings.class_embedding", "pre_layrnorm.weight", "pre_layrnorm.bias"});
}
bool is_any(const KeyIndex&, const std::string&) { return true; }

// Activation is a setting of the config, and the epsilon is the class's default.
void complete_clip(const VitLayout& layout, const KeyIndex& keys, const std::string& prefix, VitSpec& spec,
                   Facts& facts) {
  spec.pre_norm = true;
  spec.patch_bias = false;
  spec.qkv_bias = true;
  spec.end = VitSpec::End::class_token;
  // Both towers have a projection, into one space, or neither.
  spec.projection = static_cast<int>(keys.size(prefix, "text_projection.weight", 0));
  if (spec.projection < 1) spec.projection = static_cast<int>(keys.size(prefix, layout.projection + ".weight", 0));
  say_by_layout(layout, facts, "eps", "1e-5");
  spec.eps = facts.eps();
  spec.activation = facts.activation("quick in OpenAI's models, exact (gelu) in LAION's");
  say_by_layout(layout, facts, "positions", "size");
  spec.rule = facts.positions();
}

void complete_siglip(const VitLayout& layout, const KeyIndex&, const std::string&, VitSpec& spec, Facts& facts) {
  spec.patch_bias = spec.qkv_bias = true;
  // Every SigLIP ends in attention pooling; a file without its tensors lacks them, which
  // is what the matcher then says.
  if (spec.end != VitSpec::End::map) {
    spec.end = VitSpec::End::map;
    spec.map_hidden = spec.hidden;
  }
  spec.activation = facts.activation("tanh: gelu_pytorch_tanh in SigLIP's configs");
  spec.eps = facts.eps("1e-6 in SigLIP's configs");
  say_by_layout(layout, facts, "positions", "size");
  spec.rule = facts.positions();
}

// With registers it is another class of transformers, which resizes by another rule.
void complete_dinov2(const VitLayout& layout, const KeyIndex&, const std::string&, VitSpec& spec, Facts& facts) {
  spec.layer_scale = spec.qkv_bias = true;
  if (!spec.gated) spec.activation = facts.activation("exact: gelu in DINOv2's configs");
  spec.eps = facts.eps("1e-6 in DINOv2's configs");
  say_by_layout(layout, facts, "positions", spec.registers > 0 ? "antialias" : "size");
  spec.rule = facts.positions();
}

// The class computes the exact GELU with an epsilon of 1e-12 by default; the config says what this model has.
void complete_vit(const VitLayout& layout, const KeyIndex&, const std::string&, VitSpec& spec, Facts& facts) {
  spec.activation = facts.activation("exact: gelu in ViT's configs");
  spec.eps = facts.eps("1e-12, the class's default");
  say_by_layout(layout, facts, "positions", "size");
  spec.rule = facts.positions();
}

void complete_dinov3(const VitLayout&, const KeyIndex&, const std::string&, VitSpec& spec, Facts& facts) {
  spec.layer_scale = true;
  if (spec.registers == 0) spec.registers = 4;  // every published one; a file without them lacks a tensor
  if (!spec.gated) spec.activation = facts.activation("exact: gelu in DINOv3's configs");
  spec.eps = facts.eps("1e-5 in DINOv3's configs");
  spec.rope = VitRope{Rope::Coordinate::unit, Rope::Pairing::halves, 100.0};
  // As in timm's layout: H+ has 20 heads, which no tensor says here.
  if (spec.width == 1280) spec.heads = 20;
}

// CLIP's and SigLIP's common keys.
// The same code serves both; what one of them lacks has no key.
VitLayout vision_tower(const char* name) {
  VitLayout layout{.name = name, .code = "transformers' code"};
  layout.root = kVision;
  layout.block = "encoder.layers.";
  layout.top = {{"patch_embed.proj", "embeddings.patch_embedding"},
                {"pos_embed", "embeddings.position_embedding.weight"},
                {"norm_pre", "pre_layrnorm"},
                {"norm", "post_layernorm"},
                {"attn_pool.latent", "head.probe"},
                {"attn_pool.proj", "head.attention.out_proj"},
                {"attn_pool.norm", "head.layernorm"},
                {"attn_pool.mlp", "head.mlp"},
                {"attn_pool", "head.attention"}};
  layout.inside = {{"norm1", "layer_norm1"}, {"norm2", "layer_norm2"}, {"attn.proj", "self_attn.out_proj"}};
  layout.distillation_token = layout.registers = "";
  layout.positions = "embeddings.position_embedding.weight";
  layout.qkv = {"self_attn.q_proj.weight", "self_attn.k_proj.weight", "self_attn.v_proj.weight"};
  layout.qkv_bias = {"self_attn.q_proj.bias", "self_attn.k_proj.bias", "self_attn.v_proj.bias"};
  layout.unused = {{"embeddings.position_ids", "position numbers"}};
  return layout;
}

// The projection is beside the vision model, below no prefix of it.
VitLayout clip() {
  VitLayout layout = vision_tower("transformers-clip");
  layout.class_token = "embeddings.class_embedding";
  layout.projection = "visual_projection";
  layout.is = is_clip;
  layout.complete = complete_clip;
  return layout;
}

// No class token: attention pooling takes its place, whose three products are one tensor (map_joined).
VitLayout siglip() {
  VitLayout layout = vision_tower("transformers-siglip");
  layout.class_token = "";
  layout.positions_of_prefix = false;
  layout.map_joined = true;
  layout.is = is_any;
  layout.complete = complete_siglip;
  return layout;
}

// ViT's and DINOv2's common keys.
VitLayout encoder(const char* name) {
  VitLayout layout{.name = name, .code = "transformers' code"};
  layout.block = "encoder.layer.";
  layout.top = {{"patch_embed.proj", "embeddings.patch_embeddings.projection"},
                {"pos_embed", "embeddings.position_embeddings"},
                {"norm", "layernorm"}};
  layout.class_token = "embeddings.cls_token";
  layout.distillation_token = layout.registers = "";
  layout.positions = "embeddings.position_embeddings";
  layout.qkv = {"attention.attention.query.weight", "attention.attention.key.weight",
                "attention.attention.value.weight"};
  layout.qkv_bias = {"attention.attention.query.bias", "attention.attention.key.bias",
                     "attention.attention.value.bias"};
  layout.unused = {{"embeddings.mask_token", "mask token"}};
  layout.is = is_any;
  return layout;
}

VitLayout vit() {
  VitLayout layout = encoder("transformers-vit");
  layout.inside = {{"norm1", "layernorm_before"},
                   {"norm2", "layernorm_after"},
                   {"attn.proj", "attention.output.dense"},
                   {"mlp.fc1", "intermediate.dense"},
                   {"mlp.fc2", "output.dense"}};
  layout.complete = complete_vit;
  return layout;
}

VitLayout dinov2() {
  VitLayout layout = encoder("transformers-dinov2");
  layout.inside = {{"attn.proj", "attention.output.dense"},
                   {"ls1.gamma", "layer_scale1.lambda1"},
                   {"ls2.gamma", "layer_scale2.lambda1"}};
  layout.registers = "embeddings.register_tokens";
  layout.gate = {"mlp.weights_in"};
  layout.gate_out = "mlp.weights_out";
  layout.complete = complete_dinov2;
  return layout;
}

VitLayout dinov3() {
  VitLayout layout{.name = "transformers-dinov3", .code = "transformers' code"};
  layout.block = "layer.";
  layout.top = {{"patch_embed.proj", "embeddings.patch_embeddings"}};
  layout.inside = {{"attn.proj", "attention.o_proj"},
                   {"mlp.fc1", "mlp.up_proj"},
                   {"mlp.fc2", "mlp.down_proj"},
                   {"ls1.gamma", "layer_scale1.lambda1"},
                   {"ls2.gamma", "layer_scale2.lambda1"}};
  layout.class_token = "embeddings.cls_token";
  layout.registers = "embeddings.register_tokens";
  layout.distillation_token = layout.positions = "";
  layout.qkv = {"attention.q_proj.weight", "attention.k_proj.weight", "attention.v_proj.weight"};
  layout.qkv_bias = {"attention.q_proj.bias", "", "attention.v_proj.bias"};
  layout.gate = {"mlp.gate_proj", "mlp.up_proj"};
  layout.gate_out = "mlp.down_proj";
  // A token that training puts in place of hidden patches; it takes no part in a feature.
  layout.unused = {{"embeddings.mask_token", "mask token"}};
  layout.is = [](const KeyIndex& keys, const std::string& prefix) {
    return has_any(keys, prefix, {"layer.0.attention.q_proj.weight", "layer.0.attention.v_proj.weight"});
  };
  layout.complete = complete_dinov3;
  return layout;
}

}  // namespace

std::vector<VitLayout> transformers_vit_layouts() { return {clip(), siglip(), dinov2(), vit(), dinov3()}; }

}  // namespace vise::networks
