#include "extract/networks/families/vit/vit.h"

#include <fmt/format.h>

#include <cmath>

#include "extract/networks/builder.h"

namespace vise::networks {
namespace {

// What the blocks have in common: rotary periods are one table, and the last norm may be used at several places.
struct Common {
  std::optional<Rope> rope;
  Parameter norm_weight, norm_bias;
};

// A table of periods, from the file or computed from its base; nothing for networks whose positions are added.
std::optional<Rope> rope_of(const VitSpec& spec, NetworkBuilder& b) {
  if (!spec.rope) return std::nullopt;
  const int periods = spec.width / spec.heads / 4;
  Rope rope{{}, spec.rope->coordinate, spec.rope->pairing};
  if (!spec.rope->base) {
    rope.periods = b.take("rope.periods", {periods}, Init::one);
    return rope;
  }
  std::vector<float> values;
  // Half of a head's channels turn with the row and half with the column, and channels turn
  // in pairs: a quarter as many periods as channels.
  for (int j = 0; j < periods; ++j) values.push_back(static_cast<float>(std::pow(*spec.rope->base, 1.0 * j / periods)));
  rope.periods = Parameter({periods}, std::move(values));
  return rope;
}

// From the picture to T x width: patches, the tokens before them, and positions.
int tokens(const VitSpec& spec, NetworkBuilder& b) {
  const int x = b.conv("patch_embed.proj", NetworkBuilder::input(),
                       {.out = spec.width, .in = 3, .kernel = spec.patch, .stride = spec.patch}, spec.patch_bias);
  Tokens tokens;
  tokens.rule = spec.rule;
  const int prefix = spec.class_token + spec.distillation_token + spec.registers;
  if (prefix > 0) tokens.prefix = b.take("tokens.prefix", {prefix, spec.width}, Init::small);
  if (spec.grid > 0) tokens.positions = b.take("tokens.positions", {spec.grid, spec.grid, spec.width}, Init::small);
  return b.append("tokens", {x}, std::move(tokens));
}

// The first half of a block.
int attention(const VitSpec& spec, const Common& common, NetworkBuilder& b, const std::string& block, int x) {
  int y = b.layer_norm(block + ".norm1", x, spec.width, spec.eps);
  y = b.linear(block + ".attn.qkv", y, spec.width, 3 * spec.width, spec.qkv_bias);
  y = b.append(block + ".attn", {y}, Attention{spec.heads, common.rope, std::nullopt});
  if (spec.attention_norm) y = b.layer_norm(block + ".attn.norm", y, spec.width, spec.eps);
  y = b.linear(block + ".attn.proj", y, spec.width, spec.width);
  if (spec.layer_scale) y = b.scale(block + ".ls1.gamma", y, spec.width);
  return b.add(block + ".attn.add", x, y);
}

// fc2(activation(fc1(x))), of `hidden` channels between.
int mlp(const VitSpec& spec, NetworkBuilder& b, const std::string& name, int x, int hidden, bool gated) {
  int y = b.linear(name + ".fc1", x, spec.width, gated ? 2 * hidden : hidden);
  // A gate halves the channels: silu(a) b of fc1 = [a, b].
  y = gated ? b.append(name + ".gate", {y}, Gate{Activation::silu}) : b.activate(name + ".act", y, spec.activation);
  if (gated && spec.mlp_norm) y = b.layer_norm(name + ".norm", y, hidden, spec.eps);
  return b.linear(name + ".fc2", y, hidden, spec.width);
}

int block(const VitSpec& spec, const Common& common, NetworkBuilder& b, const std::string& name, int x) {
  x = attention(spec, common, b, name, x);
  int y = b.layer_norm(name + ".norm2", x, spec.width, spec.eps);
  y = mlp(spec, b, name + ".mlp", y, spec.hidden, spec.gated);
  if (spec.layer_scale) y = b.scale(name + ".ls2.gamma", y, spec.width);
  return b.add(name + ".mlp.add", x, y);
}

// Each of these is an operation of its own. All share one pair of parameters, which is counted once
// (parameter_count()).
int last_norm(const VitSpec& spec, const Common& common, NetworkBuilder& b, const std::string& name, int x) {
  return b.append(name, {x}, LayerNorm{common.norm_weight, common.norm_bias, spec.eps});
}

// The class token alone is normed and projected: the others' products would be thrown away.
void class_vectors(const VitSpec& spec, const Common& common, NetworkBuilder& b, int x) {
  x = last_norm(spec, common, b, "pre", b.append("class", {x}, Select{0}));
  b.layer("pre", x);
  if (spec.projection > 0) b.layer("post", b.linear("proj", x, spec.width, spec.projection, spec.projection_bias));
}

// y = attention(latent, x), y += mlp(norm(y)): SigLIP's MAP head (Zhai et al. 2023; big_vision, models/vit.py).
int attention_pool(const VitSpec& spec, NetworkBuilder& b, int x) {
  const int latent = b.append("attn_pool.latent", {}, Constant{b.take("attn_pool.latent", {spec.width}, Init::small)});
  const int query = b.linear("attn_pool.q", latent, spec.width, spec.width);
  const int answers = b.linear("attn_pool.kv", x, spec.width, 2 * spec.width);
  x = b.append("attn_pool.attn", {query, answers}, CrossAttention{spec.heads});
  x = b.linear("attn_pool.proj", x, spec.width, spec.width);
  const int y = b.layer_norm("attn_pool.norm", x, spec.width, spec.eps);
  return b.add("attn_pool.add", x, mlp(spec, b, "attn_pool.mlp", y, spec.map_hidden, false));
}

// What follows the last block, and what is taken where nobody says: `final` are tokens, `pre`, `post` and `map`
// vectors.
void end(const VitSpec& spec, const Common& common, NetworkBuilder& b, int x) {
  Network& network = b.network();
  network.default_layer = "final";
  // What the authors probe: DeiT averages the two tokens' heads, the others take the class
  // token, and networks without one the mean.
  network.default_pool = spec.distillation_token ? "cls+dist" : spec.class_token ? "cls" : "avg";
  if (spec.end == VitSpec::End::mean) {
    b.layer("final", b.layer_norm("fc_norm", b.append("mean", {x}, Mean{}), spec.width, spec.eps));
    network.default_pool = "avg";
    return;
  }
  const int final = last_norm(spec, common, b, "norm", x);
  b.layer("final", final);
  if (spec.end == VitSpec::End::class_token) {
    class_vectors(spec, common, b, x);
    network.default_layer = spec.projection > 0 ? "post" : "pre";
    network.default_pool = "avg";
  } else if (spec.end == VitSpec::End::map) {
    b.layer("map", attention_pool(spec, b, final));
    network.default_layer = "map";
    network.default_pool = "avg";
  }
}

}  // namespace

Network build_vit(const VitSpec& spec, WeightSource& weights) {
  NetworkBuilder b(weights);
  int x = tokens(spec, b);
  if (spec.pre_norm) x = b.layer_norm("norm_pre", x, spec.width, spec.eps);
  Common common{rope_of(spec, b), {}, {}};
  // fc_norm takes the place of the last norm.
  const bool norms_tokens = spec.end != VitSpec::End::mean;
  if (norms_tokens) {
    common.norm_weight = b.take("norm.weight", {spec.width}, Init::one);
    common.norm_bias = b.take("norm.bias", {spec.width}, Init::zero);
  }
  for (int i = 0; i < spec.depth; ++i) {
    x = block(spec, common, b, fmt::format("blocks.{}", i), x);
    b.layer(fmt::format("block{}", i + 1), x);
    const int from_last = spec.depth - 1 - i;
    // DINOv2's linear evaluation concatenates the class tokens of the last four blocks, each through
    // the last norm; --pool last4 takes them from these layers.
    if (norms_tokens && from_last >= 1 && from_last <= 3)
      b.layer(fmt::format("final-{}", from_last), last_norm(spec, common, b, fmt::format("norm-{}", from_last), x));
  }
  end(spec, common, b, x);
  Network& network = b.network();
  // The size of the published features; without a table, that of nearly all networks.
  network.side = spec.grid > 0 ? spec.grid * spec.patch : 224;
  network.has_class_token = spec.class_token;
  network.has_distillation_token = spec.distillation_token;
  return b.finish("vit", vit_architecture(spec));
}

}  // namespace vise::networks
