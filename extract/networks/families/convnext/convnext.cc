#include "extract/networks/families/convnext/convnext.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "extract/networks/builder.h"

namespace vise::networks {
namespace {

using Projection = ConvNextSpec::Projection;

constexpr int kRatio = 4;  // of the hidden channels

int block(NetworkBuilder& b, const ConvNextSpec& spec, const std::string& name, int x, int dim) {
  int y = b.conv(name + ".conv_dw", x, {.out = dim, .in = dim, .kernel = 7, .pad = 3, .groups = dim}, true);
  // Tokens are rows of channels here, so "permute, norm, linear" of the paper's code needs no
  // permutation, and a linear layer is the 1 x 1 convolution.
  y = b.layer_norm(name + ".norm", y, dim, spec.eps);
  y = b.linear(name + ".mlp.fc1", y, dim, kRatio * dim);
  y = b.activate(name + ".mlp.act", y, spec.act);
  if (spec.response_norm)
    y = b.append(name + ".mlp.grn", {y},
                 ResponseNorm{b.take(name + ".mlp.grn.weight", {kRatio * dim}, Init::zero),
                              b.take(name + ".mlp.grn.bias", {kRatio * dim}, Init::zero)});
  y = b.linear(name + ".mlp.fc2", y, kRatio * dim, dim);
  // V2 replaces layer scale by the response norm (Woo et al. 2023, section 3.3).
  if (!spec.response_norm) y = b.scale(name + ".gamma", y, dim);
  return b.add(name + ".add", x, y);
}

// What begins a stage: a layer norm, and a convolution that halves the map's edges.
int downsample(NetworkBuilder& b, const ConvNextSpec& spec, const std::string& name, int x, int in, int out) {
  x = b.layer_norm(name + ".0", x, in, spec.eps);
  return b.conv(name + ".1", x, {.out = out, .in = in, .kernel = 2, .stride = 2}, true);
}

// From the feature into the space that an image tower shares with its text tower.
int project(NetworkBuilder& b, const ConvNextSpec& spec, int x) {
  const int in = spec.dims[3], out = spec.embedding;
  if (spec.projection == Projection::linear) return b.linear("head.proj", x, in, out, spec.projection_bias);
  // open_clip's Mlp is timm's, whose activation is the exact GELU whatever the trunk's is (open_clip timm_model.py).
  x = b.linear("head.mlp.fc1", x, in, 2 * out);
  x = b.activate("head.mlp.act", x, Activation::gelu_exact);
  return b.linear("head.mlp.fc2", x, 2 * out, out, spec.projection_bias);
}

// Published sizes: the authors' (facebookresearch/ConvNeXt, ConvNeXt-V2), and timm's smaller ones and xxlarge.
std::vector<ConvNextSpec> published() {
  // Depths of the four stages and channels of the first, which double from stage to stage.
  struct Size {
    const char* name;
    std::array<int, 4> depths;
    int dim;
    bool first, second;  // of V1, of V2
  };
  constexpr Size sizes[] = {{"atto", {2, 2, 6, 2}, 40, true, true},  {"femto", {2, 2, 6, 2}, 48, true, true},
                            {"pico", {2, 2, 6, 2}, 64, true, true},  {"nano", {2, 2, 8, 2}, 80, true, true},
                            {"t", {3, 3, 9, 3}, 96, true, true},     {"s", {3, 3, 27, 3}, 96, true, true},
                            {"b", {3, 3, 27, 3}, 128, true, true},   {"l", {3, 3, 27, 3}, 192, true, true},
                            {"xl", {3, 3, 27, 3}, 256, true, false}, {"h", {3, 3, 27, 3}, 352, false, true},
                            {"xxl", {3, 4, 30, 3}, 384, true, false}};
  std::vector<ConvNextSpec> specs;
  for (const bool second : {false, true})
    for (const Size& size : sizes) {
      if (!(second ? size.second : size.first)) continue;
      ConvNextSpec& spec = specs.emplace_back();
      spec.name = fmt::format("convnext{}-{}", second ? "v2" : "", size.name);
      spec.depths = size.depths;
      for (std::size_t stage = 0; stage < 4; ++stage) spec.dims[stage] = size.dim << stage;
      spec.response_norm = second;
      // timm convnext.py: norm_eps 1e-5 of convnext_xxlarge, the one that CLIP was trained with first.
      if (spec.name == "convnext-xxl") spec.eps = spec.final_eps = 1e-5;
    }
  return specs;
}

// open_clip's towers (open_clip/model_configs/convnext_*.json).
// A tower is a trunk with a projection; two of them may share a trunk and differ in its width.
void add_towers(std::vector<ConvNextSpec>& specs) {
  struct Tower {
    std::string_view trunk, name;
    int embedding;
    Projection projection = Projection::linear;
  };
  constexpr Tower towers[] = {
      {"convnext-t", "clip-convnext-t", 512},    {"convnext-s", "clip-convnext-s", 512},
      {"convnext-b", "clip-convnext-b", 512},    {"convnext-b", "clip-convnext-b-w", 640},
      {"convnext-l", "clip-convnext-l", 768},    {"convnext-l", "clip-convnext-l-d", 768, Projection::mlp},
      {"convnext-xl", "clip-convnext-xl", 1024}, {"convnext-xxl", "clip-convnext-xxl", 1024}};
  for (const Tower& tower : towers) {
    ConvNextSpec spec = *std::ranges::find(specs, tower.trunk, &ConvNextSpec::name);
    spec.name = tower.name;
    spec.projection = tower.projection;
    spec.embedding = tower.embedding;
    specs.push_back(std::move(spec));
  }
}

// Sizes are what tensors show. Epsilons aren't compared: they are facts, and change no name.
bool same_sizes(const ConvNextSpec& a, const ConvNextSpec& b) {
  return a.depths == b.depths && a.dims == b.dims && a.response_norm == b.response_norm &&
         a.projection == b.projection && a.embedding == b.embedding && a.projection_bias == b.projection_bias;
}

}  // namespace

const std::vector<ConvNextSpec>& convnext_specs() {
  static const std::vector<ConvNextSpec> specs = [] {
    std::vector<ConvNextSpec> all = published();
    add_towers(all);
    return all;
  }();
  return specs;
}

const ConvNextSpec& convnext_spec(std::string_view name) {
  const auto& specs = convnext_specs();
  const auto found = std::ranges::find(specs, name, &ConvNextSpec::name);
  if (found != specs.end()) return *found;
  std::vector<std::string> names;
  for (const ConvNextSpec& spec : specs) names.push_back(spec.name);
  throw Error(ErrorKind::usage, fmt::format("there is no architecture '{}'", name), suggest(name, names));
}

std::string convnext_name(const ConvNextSpec& spec) {
  // A size that nobody published gets a name made of its sizes, so that two different
  // networks never share one.
  for (const ConvNextSpec& each : convnext_specs())
    if (same_sizes(each, spec)) return each.name;
  std::string name = spec.projection == Projection::none ? "convnext" : "clip-convnext";
  if (spec.response_norm) name += "v2";
  for (std::size_t stage = 0; stage < 4; ++stage) name += fmt::format("-{}x{}", spec.dims[stage], spec.depths[stage]);
  if (spec.projection != Projection::none) name += fmt::format("-{}", spec.embedding);
  if (spec.projection == Projection::mlp) name += "-mlp";
  return name;
}

Network build_convnext(const ConvNextSpec& spec, WeightSource& weights) {
  NetworkBuilder b(weights);
  int x = b.conv("stem.0", NetworkBuilder::input(), {.out = spec.dims[0], .in = 3, .kernel = 4, .stride = 4}, true);
  x = b.layer_norm("stem.1", x, spec.dims[0], spec.eps);
  for (std::size_t stage = 0; stage < 4; ++stage) {
    const std::string name = fmt::format("stages.{}", stage);
    if (stage > 0) x = downsample(b, spec, name + ".downsample", x, spec.dims[stage - 1], spec.dims[stage]);
    for (int place = 0; place < spec.depths[stage]; ++place)
      x = block(b, spec, fmt::format("{}.blocks.{}", name, place), x, spec.dims[stage]);
    b.layer(fmt::format("stage{}", stage + 1), x);
  }
  // The mean before the norm, as the paper has it; the other order gives another feature.
  x = b.layer_norm("head.norm", b.append("head.mean", {x}, Mean{}), spec.dims[3], spec.final_eps);
  const bool is_tower = spec.projection != Projection::none;
  b.layer(is_tower ? "pre" : "final", x);
  if (is_tower) b.layer("post", project(b, spec, x));
  return b.finish("convnext", convnext_name(spec));
}

}  // namespace vise::networks
