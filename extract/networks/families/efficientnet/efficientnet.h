// EfficientNet B0 to B7 (Tan and Le 2019, arXiv 1905.11946).
//
// A 3 x 3 convolution of stride 2, seven stages of mobile inverted bottlenecks, and a 1 x 1 convolution. A bottleneck
// widens to six times its channels by a 1 x 1 convolution (the first stage's don't), convolves each channel by itself,
// gates the channels by squeeze and excitation, and narrows again; its input is added where sizes allow. After each
// convolution follows a batch norm, and after each but the narrowing one SiLU.
//
// Layers: stage1 ... stage4, the last maps of a quarter, an eighth, a sixteenth and a thirty-second of the picture's
// sides, and `final`, the map after the last convolution, whose mean over places is the feature. layouts.cc has the
// key layouts.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "extract/networks/network.h"
#include "extract/networks/weight_source.h"

namespace vise::networks {

inline constexpr std::size_t kEfficientNetStages = 7;

// What distinguishes one EfficientNet from another.
struct EfficientNetSpec {
  std::string name{};
  std::array<int, kEfficientNetStages> depths{}, dims{};
  int stem = 0, head = 0;  // channels of the first and the last convolution
  int side = 224;          // of the pictures it was made for
  double eps = 1e-5;       // of torchvision's published file
  Activation act = Activation::silu;
};

// efficientnet-b0 ... efficientnet-b7.
const std::vector<EfficientNetSpec>& efficientnet_specs();
// Error{usage} with the nearest name.
const EfficientNetSpec& efficientnet_spec(std::string_view name);
// The published network of these sizes; null of others.
const EfficientNetSpec* published_efficientnet(const EfficientNetSpec& sizes);

// With timm's names: conv_stem, bn1, blocks.1.0.conv_pw, blocks.1.0.se.conv_reduce, conv_head, bn2.
Network build_efficientnet(const EfficientNetSpec& spec, WeightSource& weights);

}  // namespace vise::networks
