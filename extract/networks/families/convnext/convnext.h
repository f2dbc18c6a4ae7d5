// ConvNeXt (Liu et al. 2022, arXiv 2201.03545) and ConvNeXt V2 (Woo et al. 2023, arXiv 2301.00808).
//
// A stem of 4 x 4 patches and a layer norm; four stages of blocks, each but the first begun by a layer norm and a 2 x 2
// convolution of stride 2. A block is
//
//   x + gamma fc2(gelu(fc1(norm(depthwise 7 x 7(x)))))                      V1, gamma: layer scale
//   x + fc2(grn(gelu(fc1(norm(depthwise 7 x 7(x))))))                       V2, grn: global response normalisation
//
// and the feature is the layer norm of the last map's mean over places. As an image tower of open_clip it is followed
// by a projection, linear or linear, GELU, linear.
//
// Layers: stage1 ... stage4, the maps after the stages, and `final`, the feature; of an image tower `pre`, the same
// vector, and `post`, projected. layouts.cc has the key layouts.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "extract/networks/network.h"
#include "extract/networks/weight_source.h"

namespace vise::networks {

// What distinguishes one ConvNeXt from another.
struct ConvNextSpec {
  enum class Projection { none, linear, mlp };

  std::string name{};
  std::array<int, 4> depths{}, dims{};
  bool response_norm = false;  // V2
  Projection projection = Projection::none;
  int embedding = 0;             // the projection's channels
  bool projection_bias = false;  // of its last linear layer
  double eps = 1e-6, final_eps = 1e-6;
  Activation act = Activation::gelu_exact;
};

// convnext-atto ... convnext-xxl, convnextv2-atto ... convnextv2-h, and open_clip's towers as clip-convnext-b-w.
const std::vector<ConvNextSpec>& convnext_specs();
// Error{usage} with the nearest name.
const ConvNextSpec& convnext_spec(std::string_view name);
// The name of the published network of these sizes; of others their sizes, "convnext-96x3-192x3-384x5-768x3".
std::string convnext_name(const ConvNextSpec& spec);

// With timm's names: stem.0, stages.1.downsample.1, stages.1.blocks.0.conv_dw, head.norm; and open_clip's for the
// projection: head.proj, head.mlp.fc1. A random one has GRN's zeros and layer scales of 0.1.
Network build_convnext(const ConvNextSpec& spec, WeightSource& weights);

}  // namespace vise::networks
