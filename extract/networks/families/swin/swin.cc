#include "extract/networks/families/swin/swin.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "extract/networks/builder.h"

namespace vise::networks {
namespace {

// kReduction: by 4 in the stem, and by 2 in each of three merges.
constexpr int kRatio = 4;       // of the hidden channels
constexpr int kReduction = 32;  // of the picture's sides in the last map

// Attention of one block, between the norm and the sum: queries, keys and values of all heads are one product.
int attention(NetworkBuilder& b, const SwinSpec& spec, std::size_t stage, bool shifted, const std::string& name,
              int x) {
  const int dim = spec.channels(stage), size = spec.windows[stage], heads = spec.heads[stage];
  const int qkv = b.linear(name + ".qkv", x, dim, 3 * dim);
  // Every second block shifts its windows by half, so that neighbours that were parted
  // meet (Liu et al. 2021, section 3.2).
  Window window{.size = size, .shift = shifted ? size / 2 : 0};
  window.bias_table =
      b.take(name + ".relative_position_bias_table", {(2 * size - 1) * (2 * size - 1), heads}, Init::small);
  // A map whose edges are no multiple of the window is padded with zeros before the projection to
  // q, k and v, so that padded places hold the projection's bias.
  window.padding = std::get<Linear>(b.network().ops.back().kind).bias;
  x = b.append(name + ".attention", {qkv}, Attention{heads, std::nullopt, std::move(window)});
  return b.linear(name + ".proj", x, dim, dim);
}

// Odd blocks are the shifted ones.
int block(NetworkBuilder& b, const SwinSpec& spec, std::size_t stage, int place, int x) {
  const std::string name = fmt::format("layers.{}.blocks.{}", stage, place);
  const int dim = spec.channels(stage);
  int y = b.layer_norm(name + ".norm1", x, dim, spec.eps);
  y = attention(b, spec, stage, place % 2 == 1, name + ".attn", y);
  x = b.add(name + ".add1", x, y);
  y = b.layer_norm(name + ".norm2", x, dim, spec.eps);
  y = b.linear(name + ".mlp.fc1", y, dim, kRatio * dim);
  y = b.activate(name + ".mlp.act", y, spec.act);
  y = b.linear(name + ".mlp.fc2", y, kRatio * dim, dim);
  return b.add(name + ".add2", x, y);
}

// Four places become one with four times the channels, of which half remain.
int merge(NetworkBuilder& b, const SwinSpec& spec, std::size_t stage, int x) {
  const std::string name = fmt::format("layers.{}.downsample", stage);
  const int in = 4 * spec.channels(stage - 1);
  x = b.append(name + ".merge", {x}, MergePatches{});
  x = b.layer_norm(name + ".norm", x, in, spec.eps);
  return b.linear(name + ".reduction", x, in, spec.channels(stage), false);
}

// What tensors show; epsilon and activation are the same in all.
bool same_sizes(const SwinSpec& a, const SwinSpec& b) {
  return a.depths == b.depths && a.heads == b.heads && a.windows == b.windows && a.dim == b.dim;
}

}  // namespace

const std::vector<SwinSpec>& swin_specs() {
  static const std::vector<SwinSpec> specs{{"swin-t", {2, 2, 6, 2}, {3, 6, 12, 24}, {7, 7, 7, 7}, 96},
                                           {"swin-s", {2, 2, 18, 2}, {3, 6, 12, 24}, {7, 7, 7, 7}, 96},
                                           {"swin-b", {2, 2, 18, 2}, {4, 8, 16, 32}, {7, 7, 7, 7}, 128},
                                           {"swin-b-w12", {2, 2, 18, 2}, {4, 8, 16, 32}, {12, 12, 12, 12}, 128},
                                           {"swin-l", {2, 2, 18, 2}, {6, 12, 24, 48}, {7, 7, 7, 7}, 192},
                                           {"swin-l-w12", {2, 2, 18, 2}, {6, 12, 24, 48}, {12, 12, 12, 12}, 192}};
  return specs;
}

const SwinSpec& swin_spec(std::string_view name) {
  const auto& specs = swin_specs();
  const auto found = std::ranges::find(specs, name, &SwinSpec::name);
  if (found != specs.end()) return *found;
  std::vector<std::string> names;
  for (const SwinSpec& spec : specs) names.push_back(spec.name);
  throw Error(ErrorKind::usage, fmt::format("there is no architecture '{}'", name), suggest(name, names));
}

// A size that nobody published is called by its sizes.
std::string swin_name(const SwinSpec& spec) {
  for (const SwinSpec& each : swin_specs())
    if (same_sizes(each, spec)) return each.name;
  std::string name = "swin";
  for (std::size_t stage = 0; stage < 4; ++stage)
    name += fmt::format("-{}x{}", spec.channels(stage), spec.depths[stage]);
  return fmt::format("{}-heads{}-windows{}", name, fmt::join(spec.heads, "."), fmt::join(spec.windows, "."));
}

Network build_swin(const SwinSpec& spec, WeightSource& weights) {
  NetworkBuilder b(weights);
  int x =
      b.conv("patch_embed.proj", NetworkBuilder::input(), {.out = spec.dim, .in = 3, .kernel = 4, .stride = 4}, true);
  x = b.layer_norm("patch_embed.norm", x, spec.dim, spec.eps);
  for (std::size_t stage = 0; stage < 4; ++stage) {
    if (stage > 0) x = merge(b, spec, stage, x);
    for (int place = 0; place < spec.depths[stage]; ++place) x = block(b, spec, stage, place, x);
    b.layer(fmt::format("stage{}", stage + 1), x);
  }
  b.layer("final", b.layer_norm("norm", x, spec.channels(3), spec.eps));
  // The last map is one window: 224 for windows of 7, 384 for 12.
  b.network().side = kReduction * spec.windows[3];
  return b.finish("swin", swin_name(spec));
}

}  // namespace vise::networks
