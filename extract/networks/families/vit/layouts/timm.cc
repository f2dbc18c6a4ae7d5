// timm's key layout, which DINO, DINOv2, DINOv3, MAE and DeiT share but for a few keys; and timm's towers in open_clip.
//
// Sources: huggingface/pytorch-image-models@aa4b585, timm/models/vision_transformer.py (VisionTransformer,
// AttentionPoolLatent; resample_abs_pos_embed of layers/pos_embed.py); facebookresearch/dino@7c446df,
// vision_transformer.py; /dinov2@b8931f7, dinov2/models/vision_transformer.py; /dinov3@6876159,
// dinov3/models/vision_transformer.py (LinearKMaskedBias, RopePositionEmbedding); /mae@efb2a80, models_vit.py;
// facebookresearch/deit, models_v2.py (gamma_1, gamma_2); mlfoundations/open_clip@89fb801, timm_model.py.
#include <fmt/format.h>

#include "base/error.h"
#include "extract/networks/families/vit/layout.h"

namespace vise::networks {
namespace {

// open_clip keeps timm's tower below this name.
constexpr const char* kTower = "visual.trunk.";

// Swin's stages have blocks of the same keys, but nothing of this beside them.
bool is_timm(const KeyIndex& keys, const std::string& prefix) {
  return !prefix.ends_with(kTower) && has_any(keys, prefix,
                                              {"patch_embed.proj.weight", "patch_embed.proj.bias", "pos_embed",
                                               "cls_token", "norm.weight", "norm.bias"});
}
bool is_tower(const KeyIndex& keys, const std::string& prefix) {
  return has_any(keys, prefix, {"visual.trunk.patch_embed.proj.weight", "visual.trunk.patch_embed.proj.bias"});
}
// DeiT III's layer scales are called gamma_1 and gamma_2.
bool is_deit3(const KeyIndex& keys, const std::string& prefix) {
  return is_timm(keys, prefix) && has_any(keys, prefix, {"blocks.0.gamma_1", "blocks.0.gamma_2"});
}
// DINOv2's own: registers under its name, or the packed gate of its giant.
bool is_dinov2(const KeyIndex& keys, const std::string& prefix) {
  return is_timm(keys, prefix) &&
         has_any(keys, prefix, {"register_tokens", "blocks.0.mlp.w12.weight", "blocks.0.mlp.w3.weight"});
}
// No table of positions: DINOv3's are rotary.
bool is_dinov3(const KeyIndex& keys, const std::string& prefix) {
  return is_timm(keys, prefix) && !keys.has(prefix, "pos_embed") &&
         has_any(keys, prefix, {"rope_embed.periods", "storage_tokens", "blocks.0.attn.qkv.bias_mask"});
}

// Which of the networks with these keys it is shows in its norms, tokens and head; the facts that depend on it are
// said, and the others asked for.
void complete_timm(const VitLayout& layout, const KeyIndex& keys, const std::string&, VitSpec& spec, Facts& facts) {
  const bool is_clip = spec.pre_norm, is_siglip = spec.end == VitSpec::End::map;
  // The Perception Encoder's keys are SigLIP's with these two, and its rotary positions are in no tensor.
  if (is_siglip && (is_clip || spec.class_token))
    throw Error(
        ErrorKind::input,
        fmt::format("{}: has a class token or a norm before its blocks, and attention pooling: no SigLIP, and the "
                    "Perception Encoder isn't computed here",
                    keys.checkpoint().path.string()),
        "export it as TorchScript, and run that: arch=torchscript");
  say_by_layout(layout, facts, "eps", is_clip ? "1e-5" : "1e-6");
  spec.eps = facts.eps();
  if (!is_clip && !is_siglip && !spec.gated) say_by_layout(layout, facts, "act", "exact");
  if (!spec.gated)
    spec.activation = facts.activation(
        is_siglip
            ? "tanh as it was trained and in transformers; timm has exact for B/16, L/16 at 256 and 384 and So400m/14"
            : "quick where OpenAI, MetaCLIP or DFN trained it, exact elsewhere");
  // timm resizes by one rule. Hub files of DINO and DINOv2 have these keys too, and another one.
  if (is_clip || is_siglip || spec.registers > 0 || layout.root == kTower)
    say_by_layout(layout, facts, "positions", "antialias");
  spec.rule = position_rule(facts);
}

// timm's file of a DINOv3: no table of positions, registers, and layer scales by EVA's names. Its other networks with
// rotary positions have no class token or no registers.
bool is_timm_dinov3(const KeyIndex& keys, const std::string& prefix) {
  return is_timm(keys, prefix) && !keys.has(prefix, "pos_embed") &&
         has_any(keys, prefix, {"blocks.0.gamma_1", "blocks.0.gamma_2"});
}

// DINOv3 by its own code, by timm's or by transformers' is one network; what differs is what its file shows of it.
void complete_dinov3(const VitLayout& layout, const KeyIndex& keys, const std::string& prefix, VitSpec& spec,
                     Facts& facts) {
  say_by_layout(layout, facts, "eps", "1e-5");
  spec.eps = facts.eps();
  if (!spec.gated) {
    say_by_layout(layout, facts, "act", "exact");
    spec.activation = facts.activation();
  }
  if (spec.registers == 0) spec.registers = 4;  // every published one; a file without them lacks a tensor
  spec.class_token = spec.layer_scale = true;
  spec.end = VitSpec::End::tokens;
  // Coordinates in [-1, 1] and pairs of half a head: DINOv3's RopePositionEmbedding.
  spec.rope = VitRope{Rope::Coordinate::unit, Rope::Pairing::halves, std::nullopt};
  if (layout.periods.empty()) {  // timm computes them anew, unrounded
    spec.rope->base = 100.0;
    // H+ alone departs from heads of 64 channels, and its file as timm writes it has no
    // periods that would say so.
    if (spec.width == 1280) spec.heads = 20;
    return;
  }
  // A head has four channels for each period.
  const std::int64_t periods = keys.size(prefix, layout.periods, 0);
  if (periods > 0 && spec.width % (4 * periods) == 0) spec.heads = static_cast<int>(spec.width / (4 * periods));
}

// timm's keys with DINOv2's registers and gate.
VitLayout dinov2(VitLayout layout) {
  layout.name = "dinov2";
  layout.code = "DINOv2's code";
  layout.registers = "register_tokens";
  layout.positions_without_prefix = false;
  layout.gate = {"mlp.w12"};
  layout.gate_out = "mlp.w3";
  layout.is = is_dinov2;
  return layout;
}

// Its keys are timm's but for the registers, the mask of the bias, the gate and the rotary periods.
VitLayout dinov3() {
  VitLayout layout{.name = "dinov3", .code = "DINOv3's code"};
  layout.registers = "storage_tokens";
  layout.distillation_token = layout.positions = "";
  layout.qkv_bias_mask = "attn.qkv.bias_mask";
  layout.gate = {"mlp.w1", "mlp.w2"};
  layout.gate_out = "mlp.w3";
  layout.periods = "rope_embed.periods";
  layout.is = is_dinov3;
  layout.complete = complete_dinov3;
  return layout;
}

VitLayout timm_dinov3() {
  VitLayout layout = dinov3();
  layout.name = "timm-dinov3";
  layout.code = "timm's code";
  layout.registers = "reg_token";
  layout.inside = {{"ls1.gamma", "gamma_1"}, {"ls2.gamma", "gamma_2"}};
  layout.qkv_bias = {"attn.q_bias", "", "attn.v_bias"};
  layout.qkv_bias_mask = layout.periods = "";
  layout.gate = {"mlp.fc1_g", "mlp.fc1_x"};
  layout.gate_out = "mlp.fc2";
  layout.is = is_timm_dinov3;
  return layout;
}

}  // namespace

// The more special layouts come first, since timm's fits them all.
std::vector<VitLayout> timm_vit_layouts() {
  VitLayout timm{.name = "timm", .code = "the code of timm, DINO, DINOv2, MAE and DeiT"};
  timm.positions_without_prefix = true;
  timm.is = is_timm;
  timm.complete = complete_timm;

  VitLayout tower = timm;
  tower.name = "open_clip-timm";
  tower.code = "timm's code, below open_clip's";
  tower.root = kTower;
  tower.is = is_tower;

  VitLayout deit3 = timm;
  deit3.name = "deit3";
  deit3.code = "DeiT's and timm's code";
  deit3.inside = {{"ls1.gamma", "gamma_1"}, {"ls2.gamma", "gamma_2"}};
  deit3.is = is_deit3;

  return {tower, dinov3(), timm_dinov3(), dinov2(timm), deit3, timm};
}

}  // namespace vise::networks
