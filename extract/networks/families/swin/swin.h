// Swin Transformer (Liu et al. 2021, arXiv 2103.14030), the first version.
//
// Patches of 4 x 4 and a layer norm; four stages of blocks, each but the first begun by patch merging: the four places
// of a square as one, a layer norm, and a linear layer from 4 C to 2 C channels. A block is
//
//   x += proj(attention(qkv(norm1(x))))      within windows, every second block's shifted by half a window
//   x += fc2(gelu(fc1(norm2(x))))
//
// Layers: stage1 ... stage4, the maps after the stages, before merging, and `final`, the last one normed, whose mean
// over places is the feature. layouts.cc has the key layouts.
//
// Pictures of any size are taken as torchvision takes them: a map that windows don't divide is padded with zeros after
// norm1, so that a padded place's queries, keys and values are the bias of qkv.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "extract/networks/network.h"
#include "extract/networks/weight_source.h"

namespace vise::networks {

// What distinguishes one Swin from another, a stage each.
struct SwinSpec {
  std::string name{};
  std::array<int, 4> depths{}, heads{}, windows{};
  int dim = 0;  // channels of the first stage; each next one has twice as many
  double eps = 1e-5;
  Activation act = Activation::gelu_exact;

  int channels(std::size_t stage) const { return dim << stage; }
};

// swin-t, swin-s, swin-b, swin-l with windows of 7 x 7, and swin-b-w12, swin-l-w12.
const std::vector<SwinSpec>& swin_specs();
// Error{usage} with the nearest name.
const SwinSpec& swin_spec(std::string_view name);
// The name of the published network of these sizes; of others their sizes.
std::string swin_name(const SwinSpec& spec);

// With timm's names: patch_embed.proj, layers.1.downsample.reduction, layers.1.blocks.0.attn.qkv, norm.
Network build_swin(const SwinSpec& spec, WeightSource& weights);

}  // namespace vise::networks
