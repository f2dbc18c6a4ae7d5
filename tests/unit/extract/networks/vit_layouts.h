// The miniatures of vit_files.h as files of every published key layout hold them.
//
// The renamings are written down here a second time, from the authors' code and not from the family's tables: canonical
// names are timm's, and each function below makes another layout's file of the same tensors.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/extract/networks/vit_files.h"

namespace vise::test {

using Table = std::vector<std::pair<std::string, std::string>>;

inline std::string renamed(const std::string& name, const Table& table) {
  for (const auto& [from, to] : table)
    if (name == from || name.starts_with(from + ".")) return to + name.substr(from.size());
  return name;
}

// "blocks.N.x" -> block + N + "." + inside(x), qkv cut into `parts` (if there are any); other names by `top`.
inline Tensors relabelled(const Tensors& tensors, const Table& top, const std::string& block, const Table& inside,
                          const std::vector<std::string>& parts = {}) {
  Tensors result;
  for (const auto& [name, values] : tensors) {
    if (!name.starts_with("blocks.")) {
      result.emplace_back(renamed(name, top), values);
      continue;
    }
    const std::size_t dot = name.find('.', 7);
    const std::string start = block + name.substr(7, dot - 7) + ".", rest = name.substr(dot + 1);
    if (parts.empty() || !rest.starts_with("attn.qkv.")) {
      result.emplace_back(start + renamed(rest, inside), values);
      continue;
    }
    const std::size_t size = values.floats.size() / 3;
    for (std::size_t i = 0; i < 3; ++i) {
      Values part{values.shape,
                  {values.floats.begin() + static_cast<std::ptrdiff_t>(i * size),
                   values.floats.begin() + static_cast<std::ptrdiff_t>((i + 1) * size)}};
      part.shape[0] /= 3;
      result.emplace_back(start + parts[i] + rest.substr(8), std::move(part));
    }
  }
  return result;
}

inline Tensors prefixed(Tensors tensors, const std::string& prefix) {
  for (auto& [name, values] : tensors) name = prefix + name;
  return tensors;
}

inline void add_text_tower(Tensors& tensors) {
  tensors.emplace_back("text_projection", drawn("text_projection", {2, kOut}));
  for (const char* name : {"positional_embedding", "logit_scale", "token_embedding.weight",
                           "transformer.resblocks.0.ln_1.weight", "ln_final.bias"})
    tensors.emplace_back(name, drawn(name, {2}));
}

// OpenAI's CLIP, both towers. `proj` is [width, out].
inline Tensors openai_clip(bool layer_scale = false) {
  Tensors tensors = relabelled(timm_vit({.pre_norm = true, .layer_scale = layer_scale}),
                               {{"cls_token", "visual.class_embedding"},
                                {"pos_embed", "visual.positional_embedding"},
                                {"patch_embed.proj", "visual.conv1"},
                                {"norm_pre", "visual.ln_pre"},
                                {"norm", "visual.ln_post"}},
                               "visual.transformer.resblocks.",
                               {{"norm1", "ln_1"},
                                {"norm2", "ln_2"},
                                {"attn.qkv.weight", "attn.in_proj_weight"},
                                {"attn.qkv.bias", "attn.in_proj_bias"},
                                {"attn.proj", "attn.out_proj"},
                                {"mlp.fc1", "mlp.c_fc"},
                                {"mlp.fc2", "mlp.c_proj"},
                                {"ls1", "ls_1"},
                                {"ls2", "ls_2"}});
  at(tensors, "visual.class_embedding").shape = {kWidth};
  at(tensors, "visual.positional_embedding").shape = {1 + kGrid * kGrid, kWidth};
  tensors.emplace_back("visual.proj", drawn("proj", {kWidth, kOut}));
  add_text_tower(tensors);
  return tensors;
}

inline Tensors transformers_clip() {
  Tensors tensors =
      relabelled(timm_vit({.pre_norm = true}),
                 {{"cls_token", "vision_model.embeddings.class_embedding"},
                  {"pos_embed", "vision_model.embeddings.position_embedding.weight"},
                  {"patch_embed.proj", "vision_model.embeddings.patch_embedding"},
                  {"norm_pre", "vision_model.pre_layrnorm"},
                  {"norm", "vision_model.post_layernorm"}},
                 "vision_model.encoder.layers.",
                 {{"norm1", "layer_norm1"}, {"norm2", "layer_norm2"}, {"attn.proj", "self_attn.out_proj"}},
                 {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"});
  at(tensors, "vision_model.embeddings.class_embedding").shape = {kWidth};
  at(tensors, "vision_model.embeddings.position_embedding.weight").shape = {1 + kGrid * kGrid, kWidth};
  const Values proj = drawn("proj", {kWidth, kOut});
  Values turned{{kOut, kWidth}, std::vector<float>(proj.floats.size())};
  for (std::size_t i = 0; i < kWidth; ++i)
    for (std::size_t o = 0; o < kOut; ++o) turned.floats[o * kWidth + i] = proj.floats[i * kOut + o];
  tensors.emplace_back("visual_projection.weight", std::move(turned));
  tensors.emplace_back("text_projection.weight", drawn("text_projection", {kOut, 2}));
  for (const char* name :
       {"vision_model.embeddings.position_ids", "logit_scale", "text_model.encoder.layers.0.layer_norm1.weight"})
    tensors.emplace_back(name, drawn(name, {1, 2}));
  return tensors;
}

inline Tensors transformers_siglip() {
  Tensors tensors =
      relabelled(timm_siglip(),
                 {{"pos_embed", "vision_model.embeddings.position_embedding.weight"},
                  {"patch_embed.proj", "vision_model.embeddings.patch_embedding"},
                  {"norm", "vision_model.post_layernorm"},
                  {"attn_pool.latent", "vision_model.head.probe"},
                  {"attn_pool.proj", "vision_model.head.attention.out_proj"},
                  {"attn_pool.norm", "vision_model.head.layernorm"},
                  {"attn_pool.mlp", "vision_model.head.mlp"}},
                 "vision_model.encoder.layers.",
                 {{"norm1", "layer_norm1"}, {"norm2", "layer_norm2"}, {"attn.proj", "self_attn.out_proj"}},
                 {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"});
  at(tensors, "vision_model.embeddings.position_embedding.weight").shape = {kGrid * kGrid, kWidth};
  for (const std::string leaf : {"weight", "bias"}) {
    Values all = at(tensors, "attn_pool.q." + leaf);
    const Values& kv = at(tensors, "attn_pool.kv." + leaf);
    all.floats.insert(all.floats.end(), kv.floats.begin(), kv.floats.end());
    all.shape[0] *= 3;
    tensors = without(without(std::move(tensors), "attn_pool.q." + leaf), "attn_pool.kv." + leaf);
    tensors.emplace_back("vision_model.head.attention.in_proj_" + leaf, std::move(all));
  }
  for (const char* name : {"logit_scale", "logit_bias", "text_model.final_layer_norm.weight"})
    tensors.emplace_back(name, drawn(name, {1}));
  return tensors;
}

inline Tensors transformers_vit(const std::string& prefix = "vit.") {
  Tensors tensors = relabelled(timm_vit({}),
                               {{"cls_token", prefix + "embeddings.cls_token"},
                                {"pos_embed", prefix + "embeddings.position_embeddings"},
                                {"patch_embed.proj", prefix + "embeddings.patch_embeddings.projection"},
                                {"norm", prefix + "layernorm"}},
                               prefix + "encoder.layer.",
                               {{"norm1", "layernorm_before"},
                                {"norm2", "layernorm_after"},
                                {"attn.proj", "attention.output.dense"},
                                {"mlp.fc1", "intermediate.dense"},
                                {"mlp.fc2", "output.dense"}},
                               {"attention.attention.query", "attention.attention.key", "attention.attention.value"});
  tensors.emplace_back("classifier.weight", drawn("classifier.weight", {10, kWidth}));
  tensors.emplace_back(prefix + "pooler.dense.weight", drawn("pooler", {kWidth, kWidth}));
  return tensors;
}

inline Tensors torchvision_vit(bool old_names = false) {
  Tensors tensors = relabelled(timm_vit({}),
                               {{"cls_token", "class_token"},
                                {"patch_embed.proj", "conv_proj"},
                                {"pos_embed", "encoder.pos_embedding"},
                                {"norm", "encoder.ln"}},
                               "encoder.layers.encoder_layer_",
                               {{"norm1", "ln_1"},
                                {"norm2", "ln_2"},
                                {"attn.qkv.weight", "self_attention.in_proj_weight"},
                                {"attn.qkv.bias", "self_attention.in_proj_bias"},
                                {"attn.proj", "self_attention.out_proj"},
                                {"mlp.fc1", old_names ? "mlp.linear_1" : "mlp.0"},
                                {"mlp.fc2", old_names ? "mlp.linear_2" : "mlp.3"}});
  tensors.emplace_back("heads.head.weight", drawn("heads", {10, kWidth}));
  return tensors;
}

// DINOv2's hub file: registers, a mask token; a gate as w12, w3.
inline Tensors dinov2(bool registers, Mlp mlp = Mlp::plain) {
  Table inside;
  if (mlp == Mlp::gate) inside = {{"mlp.fc1", "mlp.w12"}, {"mlp.fc2", "mlp.w3"}};
  Tensors tensors = relabelled(timm_vit({.registers = registers, .layer_scale = true, .mlp = mlp}),
                               {{"reg_token", "register_tokens"}}, "blocks.", inside);
  tensors.emplace_back("mask_token", drawn("mask_token", {1, kWidth}));
  return tensors;
}

inline Tensors transformers_dinov2(bool registers, Mlp mlp = Mlp::plain, const std::string& prefix = "") {
  Table inside{{"attn.proj", "attention.output.dense"},
               {"ls1.gamma", "layer_scale1.lambda1"},
               {"ls2.gamma", "layer_scale2.lambda1"}};
  if (mlp == Mlp::gate) inside.insert(inside.end(), {{"mlp.fc1", "mlp.weights_in"}, {"mlp.fc2", "mlp.weights_out"}});
  Tensors tensors = relabelled(timm_vit({.registers = registers, .layer_scale = true, .mlp = mlp}),
                               {{"cls_token", "embeddings.cls_token"},
                                {"reg_token", "embeddings.register_tokens"},
                                {"pos_embed", "embeddings.position_embeddings"},
                                {"patch_embed.proj", "embeddings.patch_embeddings.projection"},
                                {"norm", "layernorm"}},
                               "encoder.layer.", inside,
                               {"attention.attention.query", "attention.attention.key", "attention.attention.value"});
  tensors.emplace_back("embeddings.mask_token", drawn("mask_token", {1, kWidth}));
  return prefixed(std::move(tensors), prefix);
}

// timm's form of registers: the class token's position is added to it, and it has none in the table.
inline Tensors timm_registers() {
  Tensors tensors = timm_vit({.registers = true, .layer_scale = true});
  Values& positions = at(tensors, "pos_embed");
  Values& token = at(tensors, "cls_token");
  for (std::size_t c = 0; c < kWidth; ++c) token.floats[c] += positions.floats[c];
  positions.floats.erase(positions.floats.begin(), positions.floats.begin() + kWidth);
  positions.shape[1] -= 1;
  return tensors;
}

// DINOv3's hub file: a mask for the keys' bias, the rotary periods, registers by another name.
inline Tensors dinov3(Mlp mlp = Mlp::plain) {
  Tensors tensors;
  for (auto& [name, values] : timm_vit({.registers = true, .positions = false, .layer_scale = true, .mlp = mlp})) {
    const std::size_t fc1 = name.find("mlp.fc1."), fc2 = name.find("mlp.fc2.");
    if (mlp == Mlp::gate && fc1 != std::string::npos) {
      const std::size_t half = values.floats.size() / 2;
      for (std::size_t i = 0; i < 2; ++i) {
        Values part = values;
        part.shape[0] /= 2;
        part.floats.assign(values.floats.begin() + static_cast<std::ptrdiff_t>(i * half),
                           values.floats.begin() + static_cast<std::ptrdiff_t>((i + 1) * half));
        tensors.emplace_back(name.substr(0, fc1) + (i == 0 ? "mlp.w1" : "mlp.w2") + name.substr(fc1 + 7),
                             std::move(part));
      }
      continue;
    }
    if (name.ends_with("qkv.bias")) {
      Values mask{values.shape, std::vector<float>(values.floats.size(), 1.0F)};
      std::fill(mask.floats.begin() + kWidth, mask.floats.begin() + 2 * kWidth, 0.0F);
      tensors.emplace_back(name + "_mask", std::move(mask));
    }
    std::string key = name == "reg_token" ? "storage_tokens" : name;
    if (mlp == Mlp::gate && fc2 != std::string::npos) key = name.substr(0, fc2) + "mlp.w3" + name.substr(fc2 + 7);
    tensors.emplace_back(key, std::move(values));
  }
  Values periods{{kWidth / 4}, {}};
  for (int j = 0; j < kWidth / 4; ++j)
    periods.floats.push_back(static_cast<float>(std::pow(100.0, 2.0 * j / (kWidth / 2))));
  tensors.emplace_back("rope_embed.periods", std::move(periods));
  tensors.emplace_back("mask_token", drawn("mask_token", {1, kWidth}));
  return tensors;
}

// timm's form of it: no mask, no periods, the biases of queries and values apart.
inline Tensors timm_dinov3(Mlp mlp = Mlp::plain) {
  Tensors tensors;
  for (auto& [name, values] : relabelled(dinov3(mlp), {{"storage_tokens", "reg_token"}}, "blocks.",
                                         {{"ls1.gamma", "gamma_1"},
                                          {"ls2.gamma", "gamma_2"},
                                          {"mlp.w1", "mlp.fc1_g"},
                                          {"mlp.w2", "mlp.fc1_x"},
                                          {"mlp.w3", "mlp.fc2"}})) {
    if (name.ends_with("bias_mask") || name == "rope_embed.periods" || name == "mask_token") continue;
    if (!name.ends_with("qkv.bias")) {
      tensors.emplace_back(name, std::move(values));
      continue;
    }
    const std::string attention = name.substr(0, name.size() - 8);
    const auto begin = values.floats.begin();
    tensors.emplace_back(attention + "q_bias", Values{{kWidth}, {begin, begin + kWidth}});
    tensors.emplace_back(attention + "v_bias", Values{{kWidth}, {begin + 2 * kWidth, values.floats.end()}});
  }
  return tensors;
}

inline Tensors transformers_dinov3(Mlp mlp = Mlp::plain) {
  Tensors hub = dinov3(mlp), kept;
  for (auto& [name, values] : hub)
    if (!name.ends_with("bias_mask") && name != "rope_embed.periods") kept.emplace_back(name, std::move(values));
  Tensors tensors = relabelled(kept,
                               {{"cls_token", "embeddings.cls_token"},
                                {"mask_token", "embeddings.mask_token"},
                                {"storage_tokens", "embeddings.register_tokens"},
                                {"patch_embed.proj", "embeddings.patch_embeddings"}},
                               "layer.",
                               {{"attn.proj", "attention.o_proj"},
                                {"ls1.gamma", "layer_scale1.lambda1"},
                                {"ls2.gamma", "layer_scale2.lambda1"},
                                {"mlp.fc1", "mlp.up_proj"},
                                {"mlp.fc2", "mlp.down_proj"},
                                {"mlp.w1", "mlp.gate_proj"},
                                {"mlp.w2", "mlp.up_proj"},
                                {"mlp.w3", "mlp.down_proj"}},
                               {"attention.q_proj", "attention.k_proj", "attention.v_proj"});
  std::erase_if(tensors, [](const auto& t) { return t.first.ends_with("k_proj.bias"); });
  return tensors;
}

// The authors' names of EVA-02-CLIP, with the tables of rotary positions that their files hold everywhere.
inline Tensors eva02_authors() {
  Tensors tensors = relabelled(timm_eva02(), {}, "blocks.",
                               {{"attn.q_proj.bias", "attn.q_bias"},
                                {"attn.v_proj.bias", "attn.v_bias"},
                                {"attn.norm", "attn.inner_attn_ln"},
                                {"mlp.fc1_g", "mlp.w1"},
                                {"mlp.fc1_x", "mlp.w2"},
                                {"mlp.norm", "mlp.ffn_ln"},
                                {"mlp.fc2", "mlp.w3"}});
  for (const char* name : {"rope.freqs_cos", "rope.freqs_sin", "blocks.1.attn.rope.freqs_cos"})
    tensors.emplace_back(name, drawn(name, {9, kWidth}));
  tensors = prefixed(std::move(tensors), "visual.");
  tensors.emplace_back("text.positional_embedding", drawn("text", {2}));
  return tensors;
}

// MAE after fine-tuning on means: fc_norm in place of norm.
inline Tensors mae_finetuned() { return relabelled(timm_vit({.head = true}), {{"norm", "fc_norm"}}, "blocks.", {}); }

// DeiT III as its authors saved it.
inline Tensors deit3() {
  return relabelled(timm_vit({.class_position = false, .layer_scale = true, .head = true}), {}, "blocks.",
                    {{"ls1.gamma", "gamma_1"}, {"ls2.gamma", "gamma_2"}});
}

}  // namespace vise::test
