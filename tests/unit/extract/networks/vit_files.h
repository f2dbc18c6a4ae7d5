// Vision transformers in miniature, as files with timm's keys; vit_layouts.h has the other published key layouts.
#pragma once

#include <algorithm>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/random.h"
#include "extract/networks/checkpoint/state_dict.h"

namespace vise::test {

struct Values {
  std::vector<std::int64_t> shape;
  std::vector<float> floats;
};
using Tensors = std::vector<std::pair<std::string, Values>>;  // in the file's order

inline Values drawn(const std::string& name, std::vector<std::int64_t> shape) {
  RandomStream stream("vit/" + name, 0);
  const auto count = std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
  std::vector<float> floats(static_cast<std::size_t>(count));
  for (float& value : floats) value = static_cast<float>(stream.uniform() - 0.5);
  return {std::move(shape), std::move(floats)};
}

inline networks::NamedTensor owned(std::string name, Values values) {
  const auto owner = std::make_shared<const std::vector<float>>(std::move(values.floats));
  std::vector<std::int64_t> strides = networks::contiguous_strides(values.shape);
  return {
      std::move(name),
      "",
      {networks::DType::f32, std::move(values.shape), std::move(strides), 0, std::as_bytes(std::span(*owner)), owner}};
}

inline networks::Checkpoint file_of(const Tensors& tensors) {
  networks::Checkpoint checkpoint;
  checkpoint.path = "x.pth";
  for (const auto& [name, values] : tensors) checkpoint.tensors.push_back(owned(name, values));
  return checkpoint;
}

inline const Values& at(const Tensors& tensors, const std::string& name) {
  return std::find_if(tensors.begin(), tensors.end(), [&](const auto& t) { return t.first == name; })->second;
}
inline Values& at(Tensors& tensors, const std::string& name) {
  return const_cast<Values&>(at(std::as_const(tensors), name));
}
inline Tensors without(Tensors tensors, const std::string& name) {
  std::erase_if(tensors, [&](const auto& t) { return t.first == name; });
  return tensors;
}

constexpr int kWidth = 64, kDepth = 2, kPatch = 4, kGrid = 3, kHidden = 128, kOut = 32;

enum class Mlp { plain, gate };
struct Parts {
  bool class_token = true, class_position = true, distillation = false, registers = false, positions = true;
  bool pre_norm = false, layer_scale = false, head = false;
  Mlp mlp = Mlp::plain;
};

// timm's keys: a plain ViT with these parts.
inline Tensors timm_vit(const Parts& parts) {
  Tensors tensors;
  const auto put = [&](const std::string& name, std::vector<std::int64_t> shape) {
    tensors.emplace_back(name, drawn(name, std::move(shape)));
  };
  const auto pair = [&](const std::string& name, std::vector<std::int64_t> shape) {
    put(name + ".bias", {shape[0]});
    put(name + ".weight", std::move(shape));
  };
  if (parts.class_token) put("cls_token", {1, 1, kWidth});
  if (parts.distillation) put("dist_token", {1, 1, kWidth});
  if (parts.registers) put("reg_token", {1, 4, kWidth});
  const int before = parts.class_position ? parts.class_token + parts.distillation : 0;
  if (parts.positions) put("pos_embed", {1, before + kGrid * kGrid, kWidth});
  put("patch_embed.proj.weight", {kWidth, 3, kPatch, kPatch});
  if (!parts.pre_norm) put("patch_embed.proj.bias", {kWidth});
  if (parts.pre_norm) pair("norm_pre", {kWidth});
  for (int i = 0; i < kDepth; ++i) {
    const std::string block = "blocks." + std::to_string(i) + ".";
    pair(block + "norm1", {kWidth});
    pair(block + "attn.qkv", {3 * kWidth, kWidth});
    pair(block + "attn.proj", {kWidth, kWidth});
    if (parts.layer_scale) put(block + "ls1.gamma", {kWidth});
    pair(block + "norm2", {kWidth});
    pair(block + "mlp.fc1", {parts.mlp == Mlp::gate ? 2 * kHidden : kHidden, kWidth});
    pair(block + "mlp.fc2", {kWidth, kHidden});
    if (parts.layer_scale) put(block + "ls2.gamma", {kWidth});
  }
  pair("norm", {kWidth});
  if (parts.head) pair("head", {10, kWidth});
  if (parts.distillation) pair("head_dist", {10, kWidth});
  return tensors;
}

inline Tensors timm_siglip() {
  Tensors tensors = timm_vit({.class_token = false});
  const auto put = [&](const std::string& name, std::vector<std::int64_t> shape) {
    tensors.emplace_back("attn_pool." + name, drawn(name, std::move(shape)));
  };
  put("latent", {1, 1, kWidth});
  for (const auto& [name, out, in] :
       {std::tuple{"q", kWidth, kWidth}, std::tuple{"kv", 2 * kWidth, kWidth}, std::tuple{"proj", kWidth, kWidth},
        std::tuple{"mlp.fc1", kHidden, kWidth}, std::tuple{"mlp.fc2", kWidth, kHidden}}) {
    put(std::string(name) + ".weight", {out, in});
    put(std::string(name) + ".bias", {out});
  }
  put("norm.weight", {kWidth});
  put("norm.bias", {kWidth});
  return tensors;
}

inline Tensors timm_eva02() {
  Tensors tensors;
  for (auto& [name, values] : timm_vit({.mlp = Mlp::gate})) {
    const std::size_t qkv = name.find("attn.qkv."), fc1 = name.find("mlp.fc1.");
    const auto part = [&whole = values](std::size_t from, std::size_t of) {
      Values cut = whole;
      cut.shape[0] /= static_cast<std::int64_t>(of);
      const std::size_t size = whole.floats.size() / of;
      cut.floats.assign(whole.floats.begin() + static_cast<std::ptrdiff_t>(from * size),
                        whole.floats.begin() + static_cast<std::ptrdiff_t>((from + 1) * size));
      return cut;
    };
    if (qkv != std::string::npos) {
      const std::string start = name.substr(0, qkv), leaf = name.substr(qkv + 8);
      tensors.emplace_back(start + "attn.q_proj" + leaf, part(0, 3));
      if (leaf == ".weight") tensors.emplace_back(start + "attn.k_proj" + leaf, part(1, 3));
      tensors.emplace_back(start + "attn.v_proj" + leaf, part(2, 3));
    } else if (fc1 != std::string::npos) {
      const std::string start = name.substr(0, fc1), leaf = name.substr(fc1 + 7);
      tensors.emplace_back(start + "mlp.fc1_g" + leaf, part(0, 2));
      tensors.emplace_back(start + "mlp.fc1_x" + leaf, part(1, 2));
    } else {
      tensors.emplace_back(name, std::move(values));
    }
  }
  for (int i = 0; i < kDepth; ++i)
    for (const std::string leaf : {"weight", "bias"}) {
      const std::string block = "blocks." + std::to_string(i) + ".";
      tensors.emplace_back(block + "attn.norm." + leaf, drawn(block + "attn.norm." + leaf, {kWidth}));
      tensors.emplace_back(block + "mlp.norm." + leaf, drawn(block + "mlp.norm." + leaf, {kHidden}));
    }
  tensors.emplace_back("head.weight", drawn("head.weight", {kOut, kWidth}));
  tensors.emplace_back("head.bias", drawn("head.bias", {kOut}));
  return tensors;
}

}  // namespace vise::test
