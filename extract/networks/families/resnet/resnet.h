// The residual networks of He et al. 2015 (arXiv 1512.03385) in torchvision's form, with ResNeXt and Wide ResNet.
//
// A 7x7 stem of stride 2, a 3x3 max pool of stride 2, four stages of blocks; no classifier. Each convolution is without
// bias and followed by a batch norm; after it comes a ReLU, except after a block's last one, where the block's input
// (or its shortcut's) is added first, and after the shortcut itself.
//
// Layers: layer1 ... layer4, the maps after the stages. Key layouts: torchvision (conv1, bn1, layer1 ... layer4) and
// vise-sequential, VisE's nn.Sequential(*resnet.children()[:-2]) (0, 1, 4 ... 7).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "extract/networks/builder.h"

namespace vise::networks {

// What distinguishes one ResNet from another.
struct ResNetSpec {
  std::string_view name;
  int blocks[4];
  bool bottleneck;
  int groups = 1;
  int width_per_group = 64;
  bool strides_first = false;  // in a bottleneck's first 1x1 instead of its 3x3: Caffe's and MSRA's, "resnet50-caffe"

  int expansion() const { return bottleneck ? 4 : 1; }
  // Channels inside a stage's blocks (of the 3x3 convolution of a bottleneck); stages count from 0.
  int width(int stage) const { return bottleneck ? (64 << stage) * width_per_group / 64 * groups : 64 << stage; }
  int out(int stage) const { return (64 << stage) * expansion(); }
};

// resnet18, 34, 50, 101, 152, resnext50_32x4d, resnext101_32x8d, wide_resnet50_2, wide_resnet101_2, resnet50-caffe,
// resnet101-caffe, resnet152-caffe. The last three have the keys and shapes of those without "-caffe".
const std::vector<ResNetSpec>& resnet_specs();
// Error{usage} with the nearest name.
const ResNetSpec& resnet_spec(std::string_view name);

// With torchvision's names. A random one is drawn as torchvision initialises: convolutions by Init::fan_out, gammas 1.
// An output stride of 16 or 8 (of bottlenecks only) dilates the last or the last two stages instead of striding them,
// as torchvision's replace_stride_with_dilation does: a stage's first block keeps the dilation before it.
Network build_resnet(const ResNetSpec& spec, WeightSource& weights, int output_stride = 32);

// A convolution that keeps its map's size but for its stride, without bias, and its batch norm, whose name follows from
// the convolution's: "layer1.0.conv2" -> "layer1.0.bn2", "layer2.0.downsample.0" -> "layer2.0.downsample.1".
int conv_norm(NetworkBuilder& b, const std::string& name, int x, Convolution shape);
int conv_norm_relu(NetworkBuilder& b, const std::string& name, int x, Convolution shape);

}  // namespace vise::networks
