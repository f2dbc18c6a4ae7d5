// OpenAI's key layout of CLIP's vision tower, which open_clip shares.
//
// Sources: openai/CLIP@d05afc4, clip/model.py (VisionTransformer, build_model); mlfoundations/open_clip@89fb801,
// src/open_clip/transformer.py (VisionTransformer, its optional LayerScale) and model.py (resize_pos_embed).
#include "extract/networks/families/vit/layout.h"

namespace vise::networks {
namespace {

bool is_openai(const KeyIndex&, const std::string&) { return true; }  // the blocks' keys are nobody else's

// Facts that are no tensors: a norm before the blocks, no bias of the patches, and the class token projected at the
// end.
void complete(const VitLayout& layout, const KeyIndex& keys, const std::string& prefix, VitSpec& spec, Facts& facts) {
  spec.pre_norm = true;
  spec.patch_bias = false;
  spec.qkv_bias = true;
  spec.end = VitSpec::End::class_token;
  // Both towers end in one space; a file may hold the vision tower alone.
  spec.projection = static_cast<int>(keys.size(prefix, "text_projection", 1));
  if (spec.projection < 1) spec.projection = static_cast<int>(keys.size(prefix, layout.projection_matrix, 1));
  if (spec.projection < 1) spec.projection = spec.width;
  say_by_layout(layout, facts, "eps", "1e-5");
  spec.eps = facts.eps();
  // These occur in OpenAI's own archives alone, whose code knows one activation.
  if (keys.has(prefix, "input_resolution") && keys.has(prefix, "context_length") && keys.has(prefix, "vocab_size"))
    facts.say("act", "quick", "OpenAI's archive (its code has QuickGELU alone)");
  spec.activation =
      facts.activation("quick in OpenAI's, MetaCLIP's and DFN's files, exact in most others of open_clip");
  // OpenAI's code doesn't resize positions; open_clip's does, by one rule.
  say_by_layout(layout, facts, "positions", "antialias");
  spec.rule = facts.positions();
}

}  // namespace

// Left are the names of vit.cc, right OpenAI's.
std::vector<VitLayout> clip_vit_layouts() {
  VitLayout openai{.name = "openai", .code = "OpenAI's and open_clip's code"};
  openai.root = "visual.";
  openai.block = "transformer.resblocks.";
  openai.top = {{"patch_embed.proj", "conv1"},
                {"pos_embed", "positional_embedding"},
                {"norm_pre", "ln_pre"},
                {"norm", "ln_post"}};
  openai.inside = {{"norm1", "ln_1"},       {"norm2", "ln_2"},         {"attn.proj", "attn.out_proj"},
                   {"mlp.fc1", "mlp.c_fc"}, {"mlp.fc2", "mlp.c_proj"}, {"ls1", "ls_1"},
                   {"ls2", "ls_2"}};
  openai.class_token = "class_embedding";
  openai.distillation_token = openai.registers = "";
  openai.positions = "positional_embedding";
  openai.qkv = {"attn.in_proj_weight"};
  openai.qkv_bias = {"attn.in_proj_bias"};
  openai.projection_matrix = "visual.proj";
  openai.is = is_openai;
  openai.complete = complete;
  return {openai};
}

}  // namespace vise::networks
