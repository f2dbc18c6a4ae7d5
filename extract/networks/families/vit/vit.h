// Plain vision transformers (Dosovitskiy et al. 2021, arXiv 2010.11929) and what the published ones add to them.
//
//   tokens = [class; distillation; registers; places] with positions, of a convolution of stride = kernel = patch
//   tokens = norm_pre(tokens)                                                   CLIP
//   x += ls1 proj(norm(attention(qkv(norm1(x)))))                               layer scale; EVA-02's inner norm
//   x += ls2 fc2(norm(activation(fc1(norm2(x)))))                               or a gate: silu(a) b of fc1 = [a, b]
//
// and after the last block one of: the norm of every token; that of the mean over the places (fc_norm); the class
// token's norm and its projection (CLIP); attention pooling by a learned query (SigLIP).
//
// Parameters are asked for by timm's names, with these of our own: "tokens.prefix" (class token, distillation token and
// registers, each with its position), "tokens.positions", "rope.periods", "proj". A gate's fc1 holds both halves.
//
// Layers: block1 ... blockN; "final", the normed tokens (of fc_norm a vector); hidden "final-1" to "final-3", the same
// norm after the three blocks before; "pre" and "post", the class token before and after the projection; "map".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "extract/networks/network.h"
#include "extract/networks/weight_source.h"

namespace vise::networks {

// Rotary positions; op.h has the formulas.
struct VitRope {
  Rope::Coordinate coordinate = Rope::Coordinate::unit;
  Rope::Pairing pairing = Rope::Pairing::halves;
  // Periods base^(4 j / d), j < d / 4, d a head's channels; unset: "rope.periods" of the source.
  std::optional<double> base;
};

struct VitSpec {
  enum class End {
    tokens,       // layer "final": the norm of every token
    mean,         // layer "final": fc_norm of the mean over the places
    class_token,  // "final" as of tokens, "pre" and, with a projection, "post"
    map           // "final" as of tokens, "map"
  };

  int width = 768, depth = 12, heads = 12, patch = 16;
  int hidden = 3072;  // of the MLP: channels that fc2 takes
  int grid = 14;      // rows and columns of the position table; 0: none
  bool class_token = true, distillation_token = false;
  int registers = 0;
  bool patch_bias = true, pre_norm = false, qkv_bias = true, layer_scale = false;
  bool attention_norm = false, mlp_norm = false;  // EVA-02's
  bool gated = false;                             // silu(a) b in place of the activation
  Activation activation = Activation::gelu_exact;
  double eps = 1e-6;
  std::optional<PositionRule> rule;
  std::optional<VitRope> rope;
  End end = End::tokens;
  int projection = 0;  // channels of "post"; 0: none
  bool projection_bias = false;
  int map_hidden = 0;  // of the attention pooling's MLP
};

// Named by vit_architecture().
Network build_vit(const VitSpec& spec, WeightSource& weights);

// "vit-b16", "eva02-l14"; of a depth or width that no published size has "vit-768x3-16": width x depth - patch.
std::string vit_architecture(const VitSpec& spec);
// The published sizes, smallest first.
std::vector<std::string> vit_architectures();
// A plain ViT of a published size, for pictures of 224. Error{usage} for a name that isn't one of them.
VitSpec vit_spec(std::string_view architecture);

// Heads of the published ViTs of this width: one for every 64 channels, but for five widths. 0: no published width.
int usual_vit_heads(int width);

}  // namespace vise::networks
