#include "extract/networks/families/efficientnet/efficientnet.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/text.h"
#include "extract/networks/builder.h"

namespace vise::networks {
namespace {

// B0's stages (table 1 of the paper); the others have its kernels and strides.
struct Stage {
  int kernel, stride, dim, depth;
};
constexpr std::array<Stage, kEfficientNetStages> kStages{
    {{3, 1, 16, 1}, {3, 2, 24, 2}, {5, 2, 40, 2}, {3, 2, 80, 3}, {5, 1, 112, 3}, {5, 2, 192, 4}, {3, 1, 320, 1}}};
// Of B0: channels of the first and the last convolution; how much a block widens, and how much its gate squeezes.
constexpr int kStem = 32, kHead = 1280, kExpansion = 6, kSqueeze = 4;

class Builder {
 public:
  Builder(const EfficientNetSpec& spec, WeightSource& weights) : spec_(spec), b_(weights) {}

  Network network() {
    int x = act("act1", norm("bn1", conv("conv_stem", NetworkBuilder::input(), 3, spec_.stem, 3, 2), spec_.stem));
    int in = spec_.stem, layers = 0;
    for (std::size_t stage = 0; stage < kEfficientNetStages; ++stage) {
      for (int place = 0; place < spec_.depths[stage]; ++place) {
        x = block(stage, place, x, in);
        in = spec_.dims[stage];
      }
      // Layers are the stages before the map halves again, and the last; the first stage,
      // of 112 x 112, is none.
      const bool last_of_its_size = stage + 1 == kEfficientNetStages || kStages[stage + 1].stride == 2;
      if (stage > 0 && last_of_its_size) b_.layer(fmt::format("stage{}", ++layers), x);
    }
    x = act("act2", norm("bn2", conv("conv_head", x, in, spec_.head, 1, 1), spec_.head));
    b_.layer("final", x);
    b_.network().side = spec_.side;
    return b_.finish("efficientnet", spec_.name);
  }

 private:
  // "Same" padding of odd kernels, as torchvision and timm's efficientnet_* have it.
  int conv(const std::string& name, int x, int in, int out, int kernel, int stride) {
    return b_.conv(name, x, {.out = out, .in = in, .kernel = kernel, .stride = stride, .pad = kernel / 2});
  }

  int depthwise(const std::string& name, int x, int channels, const Stage& stage, int stride) {
    return b_.conv(name, x,
                   {.out = channels,
                    .in = channels,
                    .kernel = stage.kernel,
                    .stride = stride,
                    .pad = stage.kernel / 2,
                    .groups = channels});
  }

  int norm(const std::string& name, int x, int channels) { return b_.batch_norm(name, x, channels, spec_.eps); }
  int act(const std::string& name, int x) { return b_.activate(name, x, spec_.act); }

  // The squeezed channels are a fraction of the block's input, not of its widened channels.
  int gated(const std::string& name, int x, int channels, int squeezed) {
    int gate = b_.append(name + ".mean", {x}, Mean{});
    gate = act(name + ".act", b_.linear(name + ".conv_reduce", gate, channels, squeezed));
    gate = b_.linear(name + ".conv_expand", gate, squeezed, channels);
    gate = b_.activate(name + ".gate", gate, Activation::sigmoid);
    return b_.append(name + ".multiply", {x, gate}, Multiply{});
  }

  // The first stage's blocks don't widen, and timm numbers their layers accordingly.
  int block(std::size_t number, int place, int x, int in) {
    const Stage& stage = kStages[number];
    const std::string name = fmt::format("blocks.{}.{}", number, place);
    const bool widens = number > 0;
    // Only a stage's first block strides.
    const int wide = widens ? kExpansion * in : in, out = spec_.dims[number], stride = place == 0 ? stage.stride : 1;
    int y = x;
    if (widens) y = act(name + ".act1", norm(name + ".bn1", conv(name + ".conv_pw", y, in, wide, 1, 1), wide));
    y = norm(name + (widens ? ".bn2" : ".bn1"), depthwise(name + ".conv_dw", y, wide, stage, stride), wide);
    y = gated(name + ".se", act(name + (widens ? ".act2" : ".act1"), y), wide, std::max(1, in / kSqueeze));
    y = conv(name + (widens ? ".conv_pwl" : ".conv_pw"), y, wide, out, 1, 1);
    y = norm(name + (widens ? ".bn3" : ".bn2"), y, out);
    // Residual only where shapes agree (MBConv of MobileNetV2).
    return stride == 1 && in == out ? b_.add(name + ".add", x, y) : y;
  }

  const EfficientNetSpec& spec_;
  NetworkBuilder b_;
};

// Channels go to the nearest multiple of 8, but not below nine tenths (round_filters of the authors' TPU code).
int widened(int channels, double factor) {
  const double wanted = channels * factor;
  const int rounded = std::max(8, static_cast<int>(wanted + 4) / 8 * 8);
  return rounded < 0.9 * wanted ? rounded + 8 : rounded;
}

// Compound scaling: channels, depths and the picture's side grow together (section 3.3 and table 2 of the paper).
EfficientNetSpec scaled(int number, double width, double depth, int side) {
  EfficientNetSpec spec{.name = fmt::format("efficientnet-b{}", number), .side = side};
  spec.stem = widened(kStem, width);
  spec.head = widened(kHead, width);
  for (std::size_t stage = 0; stage < kEfficientNetStages; ++stage) {
    spec.dims[stage] = widened(kStages[stage].dim, width);
    // round_repeats of the authors' code.
    spec.depths[stage] = static_cast<int>(std::ceil(kStages[stage].depth * depth));
  }
  // torchvision's B5 to B7 are converted from TensorFlow's, with its epsilon (efficientnet.py, pytorch/vision 07a929e).
  if (number >= 5) spec.eps = 1e-3;
  return spec;
}

}  // namespace

const std::vector<EfficientNetSpec>& efficientnet_specs() {
  static const std::vector<EfficientNetSpec> specs{
      scaled(0, 1.0, 1.0, 224), scaled(1, 1.0, 1.1, 240), scaled(2, 1.1, 1.2, 260), scaled(3, 1.2, 1.4, 300),
      scaled(4, 1.4, 1.8, 380), scaled(5, 1.6, 2.2, 456), scaled(6, 1.8, 2.6, 528), scaled(7, 2.0, 3.1, 600)};
  return specs;
}

const EfficientNetSpec& efficientnet_spec(std::string_view name) {
  const auto& specs = efficientnet_specs();
  const auto found = std::ranges::find(specs, name, &EfficientNetSpec::name);
  if (found != specs.end()) return *found;
  std::vector<std::string> names;
  for (const EfficientNetSpec& spec : specs) names.push_back(spec.name);
  throw Error(ErrorKind::usage, fmt::format("there is no architecture '{}'", name), suggest(name, names));
}

// By sizes alone, as a file has them; null for a network that nobody published.
const EfficientNetSpec* published_efficientnet(const EfficientNetSpec& sizes) {
  for (const EfficientNetSpec& spec : efficientnet_specs())
    if (spec.depths == sizes.depths && spec.dims == sizes.dims && spec.stem == sizes.stem && spec.head == sizes.head)
      return &spec;
  return nullptr;
}

Network build_efficientnet(const EfficientNetSpec& spec, WeightSource& weights) {
  return Builder(spec, weights).network();
}

}  // namespace vise::networks
