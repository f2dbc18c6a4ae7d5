#include "extract/networks/resnet.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>

#include "base/error.h"
#include "base/hash.h"
#include "base/random.h"
#include "base/text.h"

namespace vise {
namespace {

ConvBn make_conv(std::string name, int in, int out, int kernel, int stride, int groups = 1) {
  ConvBn conv;
  conv.name = std::move(name);
  conv.in = in;
  conv.out = out;
  conv.kernel = kernel;
  conv.stride = stride;
  conv.pad = kernel / 2;
  conv.groups = groups;
  return conv;
}

Block make_block(const ResNetSpec& spec, int stage, int place) {
  const std::string name = fmt::format("layer{}.{}", stage + 1, place);
  const int stride = stage > 0 && place == 0 ? 2 : 1, width = spec.width(stage), out = spec.out(stage);
  const int in = place > 0 ? out : stage > 0 ? spec.out(stage - 1) : 64;
  Block block;
  if (spec.bottleneck)
    block.convs = {make_conv(name + ".conv1", in, width, 1, 1),
                   make_conv(name + ".conv2", width, width, 3, stride, spec.groups),
                   make_conv(name + ".conv3", width, out, 1, 1)};
  else
    block.convs = {make_conv(name + ".conv1", in, width, 3, stride), make_conv(name + ".conv2", width, out, 3, 1)};
  if (stride != 1 || in != out) block.shortcut = make_conv(name + ".downsample.0", in, out, 1, stride);
  return block;
}

// Box-Muller with both of its values, since a network has tens of millions. The number of values is even.
void fill_normal(std::vector<float>& values, double deviation, RandomStream& stream) {
  for (std::size_t i = 0; i + 1 < values.size(); i += 2) {
    const double radius = deviation * std::sqrt(-2 * std::log1p(-stream.uniform()));
    const double angle = 2 * std::numbers::pi * stream.uniform();
    values[i] = static_cast<float>(radius * std::cos(angle));
    values[i + 1] = static_cast<float>(radius * std::sin(angle));
  }
}

// Works for const and mutable networks alike.
template <typename Conv, typename Net>
std::vector<Conv*> all_convolutions(Net& net) {
  std::vector<Conv*> all{&net.stem};
  for (auto& stage : net.stages)
    for (auto& block : stage) {
      for (auto& conv : block.convs) all.push_back(&conv);
      if (block.shortcut) all.push_back(&*block.shortcut);
    }
  return all;
}

}  // namespace

int ResNet::dim() const { return stages.back().back().convs.back().out; }

std::uint64_t ResNet::parameter_count() const {
  std::uint64_t count = 0;
  for (const ConvBn* conv : convolutions(*this)) count += conv->weight.size() + conv->gamma.size() + conv->beta.size();
  return count;
}

std::string ResNet::parameters_hash() const {
  Sha256 hash;
  hash.update("vise-eval resnet parameters 1\n");
  for (const ConvBn* conv : convolutions(*this)) {
    hash.update(
        fmt::format("{} {} {} {} {} {}\n", conv->name, conv->out, conv->in, conv->kernel, conv->stride, conv->groups));
    for (const auto* values : {&conv->weight, &conv->gamma, &conv->beta, &conv->mean, &conv->variance})
      hash.update(std::as_bytes(std::span(*values)));
  }
  return hash.hex();
}

const std::vector<ResNetSpec>& resnet_specs() {
  static const std::vector<ResNetSpec> specs{{"resnet18", {2, 2, 2, 2}, false},
                                             {"resnet34", {3, 4, 6, 3}, false},
                                             {"resnet50", {3, 4, 6, 3}, true},
                                             {"resnet101", {3, 4, 23, 3}, true},
                                             {"resnet152", {3, 8, 36, 3}, true},
                                             {"resnext50_32x4d", {3, 4, 6, 3}, true, 32, 4},
                                             {"resnext101_32x8d", {3, 4, 23, 3}, true, 32, 8},
                                             {"wide_resnet50_2", {3, 4, 6, 3}, true, 1, 128},
                                             {"wide_resnet101_2", {3, 4, 23, 3}, true, 1, 128}};
  return specs;
}

const ResNetSpec& resnet_spec(std::string_view name) {
  const auto& specs = resnet_specs();
  const auto found = std::find_if(specs.begin(), specs.end(), [&](const ResNetSpec& s) { return s.name == name; });
  if (found == specs.end())
    throw Error(ErrorKind::usage, fmt::format("there is no architecture '{}'", name),
                suggest(name, resnet_architectures()));
  return *found;
}

std::vector<std::string> resnet_architectures() {
  std::vector<std::string> names;
  for (const ResNetSpec& spec : resnet_specs()) names.emplace_back(spec.name);
  return names;
}

ResNet empty_resnet(const ResNetSpec& spec) {
  ResNet net;
  net.architecture = spec.name;
  net.stem = make_conv("conv1", 3, 64, 7, 2);
  for (int stage = 0; stage < 4; ++stage) {
    auto& blocks = net.stages.emplace_back();
    for (int place = 0; place < spec.blocks[stage]; ++place) blocks.push_back(make_block(spec, stage, place));
  }
  return net;
}

ResNet random_resnet(std::string_view architecture, std::uint64_t seed) {
  ResNet net = empty_resnet(resnet_spec(architecture));
  for (ConvBn* conv : convolutions(net)) {
    RandomStream stream(fmt::format("random/{}/{}", architecture, conv->name), seed);
    const int area = conv->kernel * conv->kernel;
    const double deviation = std::sqrt(2.0 / (static_cast<double>(conv->out) * area));
    conv->weight.resize(static_cast<std::size_t>(conv->out) * (conv->in / conv->groups) * area);
    fill_normal(conv->weight, deviation, stream);
    const auto channels = static_cast<std::size_t>(conv->out);
    conv->gamma.assign(channels, 1.0F);
    conv->beta.assign(channels, 0.0F);
    conv->mean.assign(channels, 0.0F);
    conv->variance.assign(channels, 1.0F);
  }
  return net;
}

std::vector<const ConvBn*> convolutions(const ResNet& net) { return all_convolutions<const ConvBn>(net); }
std::vector<ConvBn*> convolutions(ResNet& net) { return all_convolutions<ConvBn>(net); }

}  // namespace vise
