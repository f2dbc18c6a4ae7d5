#include "extract/networks/families/resnet/resnet.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace vise::networks {
namespace {

std::string norm_of_conv(const std::string& conv) {
  const std::size_t place = conv.rfind("conv");
  // conv1 has bn1; a shortcut's convolution is downsample.0 and its norm downsample.1.
  if (place != std::string::npos) return fmt::format("{}bn{}", conv.substr(0, place), conv.substr(place + 4));
  return fmt::format("{}1", conv.substr(0, conv.size() - 1));
}

// How a block goes about its map. A stage that would stride may dilate instead, which keeps the map's size and its
// field of view.
struct Stride {
  int stride = 1, dilation = 1;
};

// One residual block; `in` is the value before it, which is added at the end.
int block(NetworkBuilder& b, const ResNetSpec& spec, int stage, int place, Stride how, int in) {
  const std::string name = fmt::format("layer{}.{}", stage + 1, place);
  const int stride = how.stride, width = spec.width(stage), out = spec.out(stage);
  // Channels of `in`: of the block before, of the stage before, or of the stem.
  const int channels = place > 0 ? out : stage > 0 ? spec.out(stage - 1) : 64;
  int x = 0;
  if (spec.bottleneck) {
    // torchvision strides in the 3x3 convolution; Caffe's networks of the same keys and shapes in the first 1x1.
    const int first = spec.strides_first ? stride : 1, second = spec.strides_first ? 1 : stride;
    x = conv_norm_relu(b, name + ".conv1", in, {.out = width, .in = channels, .stride = first});
    x = conv_norm_relu(
        b, name + ".conv2", x,
        {.out = width, .in = width, .kernel = 3, .stride = second, .groups = spec.groups, .dilation = how.dilation});
    x = conv_norm(b, name + ".conv3", x, {.out = out, .in = width});
  } else {
    x = conv_norm_relu(b, name + ".conv1", in, {.out = width, .in = channels, .kernel = 3, .stride = stride});
    x = conv_norm(b, name + ".conv2", x, {.out = out, .in = width, .kernel = 3});
  }
  // The shortcut is the input itself where shapes agree (He et al. 2015, option B).
  const bool reshapes = stride != 1 || channels != out;
  const int shortcut =
      reshapes ? conv_norm(b, name + ".downsample.0", in, {.out = out, .in = channels, .stride = stride}) : in;
  return b.relu(name + ".relu", b.add(name + ".add", x, shortcut));
}

}  // namespace

const std::vector<ResNetSpec>& resnet_specs() {
  static const std::vector<ResNetSpec> specs{{"resnet18", {2, 2, 2, 2}, false},
                                             {"resnet34", {3, 4, 6, 3}, false},
                                             {"resnet50", {3, 4, 6, 3}, true},
                                             {"resnet101", {3, 4, 23, 3}, true},
                                             {"resnet152", {3, 8, 36, 3}, true},
                                             {"resnext50_32x4d", {3, 4, 6, 3}, true, 32, 4},
                                             {"resnext101_32x8d", {3, 4, 23, 3}, true, 32, 8},
                                             {"wide_resnet50_2", {3, 4, 6, 3}, true, 1, 128},
                                             {"wide_resnet101_2", {3, 4, 23, 3}, true, 1, 128},
                                             {"resnet50-caffe", {3, 4, 6, 3}, true, 1, 64, true},
                                             {"resnet101-caffe", {3, 4, 23, 3}, true, 1, 64, true},
                                             {"resnet152-caffe", {3, 8, 36, 3}, true, 1, 64, true}};
  return specs;
}

// The name as torchvision spells it, or with Caffe's place of the stride.
const ResNetSpec& resnet_spec(std::string_view name) {
  const auto& specs = resnet_specs();
  const auto found = std::ranges::find(specs, name, &ResNetSpec::name);
  if (found == specs.end()) {
    std::vector<std::string> names;
    for (const ResNetSpec& spec : specs) names.emplace_back(spec.name);
    throw Error(ErrorKind::usage, fmt::format("there is no architecture '{}'", name), suggest(name, names));
  }
  return *found;
}

int conv_norm(NetworkBuilder& b, const std::string& name, int x, Convolution shape) {
  const int channels = shape.out;
  // "Same" padding of odd kernels: 7 has 3, 3 has 1, 1 has 0.
  shape.pad = shape.kernel / 2 * shape.dilation;
  return b.batch_norm(norm_of_conv(name), b.conv(name, x, std::move(shape)), channels);
}

int conv_norm_relu(NetworkBuilder& b, const std::string& name, int x, Convolution shape) {
  return b.relu(name + ".relu", conv_norm(b, name, x, std::move(shape)));
}

Network build_resnet(const ResNetSpec& spec, WeightSource& weights, int output_stride) {
  NetworkBuilder b(weights);
  int x = conv_norm_relu(b, "conv1", NetworkBuilder::input(), {.out = 64, .in = 3, .kernel = 7, .stride = 2});
  x = b.append("maxpool", {x}, Pool2d{Pool2d::Kind::max, 3, 2, 1});
  int dilation = 1, reached = 4;
  for (int stage = 0; stage < 4; ++stage) {
    // torchvision's _make_layer: a stage that doesn't stride dilates instead, but its first
    // block still has the dilation of the stage before.
    const bool strides = stage > 0 && reached<output_stride, dilates = stage> 0 && !strides;
    if (strides) reached *= 2;
    for (int place = 0; place < spec.blocks[stage]; ++place) {
      x = block(b, spec, stage, place, {strides && place == 0 ? 2 : 1, dilation}, x);
      if (dilates && place == 0) dilation *= 2;
    }
    b.layer(fmt::format("layer{}", stage + 1), x);
  }
  return b.finish("resnet", std::string(spec.name));
}

}  // namespace vise::networks
