#include "extract/networks/builder.h"

namespace vise::networks {

int NetworkBuilder::append(const std::string& name, std::vector<int> inputs, OpKind kind) {
  network_.ops.push_back({name, std::move(inputs), std::move(kind)});
  // Value 0 is the input, so operation i makes value i + 1.
  return static_cast<int>(network_.ops.size());
}

// `bias`: most convolutions have a batch norm behind them, which has a shift of its own.
int NetworkBuilder::conv(const std::string& name, int x, Convolution shape, bool bias) {
  // A depthwise filter reads and feeds one channel, so its fan is the kernel's area; counted
  // over all channels, signals would fade from layer to layer.
  const Init init = shape.groups > 1 && shape.groups == shape.in ? Init::depthwise : Init::fan_out;
  shape.weight = take(name + ".weight", {shape.out, shape.in / shape.groups, shape.kernel, shape.kernel}, init);
  if (bias) shape.bias = take(name + ".bias", {shape.out}, Init::zero);
  return append(name, {x}, std::move(shape));
}

int NetworkBuilder::batch_norm(const std::string& name, int x, int channels, double eps) {
  BatchNorm norm;
  norm.eps = eps;
  norm.gamma = take(name + ".weight", {channels}, Init::one);
  norm.beta = take(name + ".bias", {channels}, Init::zero);
  norm.mean = take(name + ".running_mean", {channels}, Init::zero);
  norm.variance = take(name + ".running_var", {channels}, Init::variance);
  return append(name, {x}, std::move(norm));
}

int NetworkBuilder::activate(const std::string& name, int x, Activation function) {
  return append(name, {x}, Activate{function});
}

int NetworkBuilder::linear(const std::string& name, int x, int in, int out, bool bias) {
  Linear linear{out, in, take(name + ".weight", {out, in}, Init::small), {}};
  if (bias) linear.bias = take(name + ".bias", {out}, Init::zero);
  return append(name, {x}, std::move(linear));
}

int NetworkBuilder::layer_norm(const std::string& name, int x, int channels, double eps) {
  return append(
      name, {x},
      LayerNorm{take(name + ".weight", {channels}, Init::one), take(name + ".bias", {channels}, Init::zero), eps});
}

int NetworkBuilder::scale(const std::string& name, int x, int channels) {
  return append(name, {x}, Scale{take(name, {channels}, Init::tenth)});
}

Network NetworkBuilder::finish(std::string family, std::string architecture) {
  network_.family = std::move(family);
  network_.architecture = std::move(architecture);
  // The last layer is what a network is for, unless its family says otherwise.
  if (network_.default_layer.empty() && !network_.layers.empty()) network_.default_layer = network_.layers.back().name;
  return std::move(network_);
}

}  // namespace vise::networks
