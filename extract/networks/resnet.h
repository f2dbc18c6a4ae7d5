// A frozen residual network as a plain value: the one description that both engines are built from.
//
// The trunk of He et al. 2015 (arXiv 1512.03385) in torchvision's form: a 7x7 stem of stride 2, a 3x3 max pool of
// stride 2, four stages of blocks; no classifier. Each convolution is without bias and followed by a batch norm in
// inference form: y = gamma (x - mean) / sqrt(variance + eps) + beta. After it stands a ReLU, except after a block's
// last one, where the block's input (or its `shortcut`) is added first, and after the shortcut itself.
//
//   const ResNet net = load_resnet(checkpoint);        // load_resnet.h; or random_resnet("resnet50", 0)
//   build(net.stem); for (const auto& stage : net.stages) for (const Block& block : stage) build(block);
//
// Values own their memory; safe to read from many threads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vise {

struct ConvBn {
  std::string name;  // torchvision's name of the convolution: "conv1", "layer1.0.conv2", "layer2.0.downsample.0"
  int out = 0, in = 0, kernel = 1, stride = 1, pad = 0, groups = 1;
  std::vector<float> weight;                       // out x in / groups x kernel x kernel, row-major
  std::vector<float> gamma, beta, mean, variance;  // out each
  double eps = 1e-5;
};

struct Block {
  std::vector<ConvBn> convs;       // 2 (basic) or 3 (bottleneck); the first or, of three, the second one strides
  std::optional<ConvBn> shortcut;  // a strided 1x1 convolution where the shape changes
};

struct ResNet {
  std::string architecture;  // "resnet50"
  ConvBn stem;
  std::vector<std::vector<Block>> stages;

  int dim() const;                        // channels of the last stage: 512 or 2048
  std::uint64_t parameter_count() const;  // convolutions' weights, gammas and betas, as torch counts parameters
  // SHA-256 over names, shapes and float32 values of all parameters and batch-norm statistics, in forward order. Two
  // files that hold the same network in other containers, key layouts or dtypes (where the values are equal) agree.
  std::string parameters_hash() const;
};

// What tells one ResNet from another.
struct ResNetSpec {
  std::string_view name;
  int blocks[4];
  bool bottleneck;
  int groups = 1;
  int width_per_group = 64;

  int expansion() const { return bottleneck ? 4 : 1; }
  // Channels inside a stage's blocks (of the 3x3 convolution of a bottleneck); stages count from 0.
  int width(int stage) const { return bottleneck ? (64 << stage) * width_per_group / 64 * groups : 64 << stage; }
  int out(int stage) const { return (64 << stage) * expansion(); }
};

// resnet18, 34, 50, 101, 152, resnext50_32x4d, resnext101_32x8d, wide_resnet50_2, wide_resnet101_2.
const std::vector<ResNetSpec>& resnet_specs();
// Error{usage} with the nearest name.
const ResNetSpec& resnet_spec(std::string_view name);
std::vector<std::string> resnet_architectures();

// The network with all shapes and names and no values: every vector is empty.
ResNet empty_resnet(const ResNetSpec& spec);

// Values drawn as torchvision initialises: weights normal with variance 2 / (out x kernel^2) (He's, fan-out), gamma 1,
// beta 0; statistics mean 0, variance 1. Each layer's stream is named by architecture and layer, so a layer's values
// depend on no other; they rest on the C library's log1p, sin and cos, so machines agree but for rare last bits.
ResNet random_resnet(std::string_view architecture, std::uint64_t seed);

// All convolutions in forward order: stem, then per block its convolutions and its shortcut.
std::vector<const ConvBn*> convolutions(const ResNet& net);
std::vector<ConvBn*> convolutions(ResNet& net);

}  // namespace vise
