// A small vision transformer with drawn weights, named as torchvision names them: oracles load the same.
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "extract/networks/builder.h"

namespace vise::test {

inline std::vector<float> drawn(const std::string& name, std::size_t size, double mean, double deviation) {
  RandomStream random("step-test/" + name, 0);
  std::vector<float> values(size);
  for (float& v : values) v = static_cast<float>(mean + deviation * random.normal());
  return values;
}

// Values that no tensor shares with a freshly made network, and their names in torchvision's state dict.
class NamedWeights final : public networks::WeightSource {
 public:
  networks::Parameter take(const std::string& name, std::vector<std::int64_t> shape, networks::Init init) override {
    const bool near_one = init == networks::Init::one || init == networks::Init::variance;
    const double area = shape.size() == 4 ? static_cast<double>(shape[2] * shape[3]) : 1;
    const double deviation =
        init == networks::Init::fan_out ? std::sqrt(2 / (static_cast<double>(shape[0]) * area)) : 0.15;
    std::vector<float> values =
        drawn(name, networks::Parameter(shape).size(), near_one ? 1 : 0, near_one ? 0.1 : deviation);
    const networks::Parameter parameter(std::move(shape), std::move(values));
    taken.emplace_back(name, parameter);
    return parameter;
  }
  std::string name_of(const networks::Parameter& parameter) const {
    for (const auto& [name, known] : taken)
      if (known.values().data() == parameter.values().data()) return name;
    return "?";
  }
  std::vector<std::pair<std::string, networks::Parameter>> taken;
};

// torchvision's VisionTransformer(32, patch 8, 3 layers, 2 heads, 32 channels, MLP of 64).
inline networks::Network small_vit(networks::WeightSource& weights) {
  networks::NetworkBuilder b(weights);
  int x = b.conv("conv_proj", networks::NetworkBuilder::input(), {.out = 32, .in = 3, .kernel = 8, .stride = 8}, true);
  const networks::Parameter prefix = b.take("class_token", {1, 32}, networks::Init::small);
  x = b.append("tokens", {x},
               networks::Tokens{prefix, b.take("grid", {4, 4, 32}, networks::Init::small), std::nullopt, false});
  for (int i = 0; i < 3; ++i) {
    const std::string name = fmt::format("encoder.layers.encoder_layer_{}", i);
    networks::Linear qkv{96, 32, b.take(name + ".self_attention.in_proj_weight", {96, 32}, networks::Init::small), {}};
    qkv.bias = b.take(name + ".self_attention.in_proj_bias", {96}, networks::Init::zero);
    int y = b.append(name + ".qkv", {b.layer_norm(name + ".ln_1", x, 32, 1e-6)}, std::move(qkv));
    y = b.append(name + ".attention", {y}, networks::Attention{2, std::nullopt, std::nullopt});
    x = b.add(name + ".add1", x, b.linear(name + ".self_attention.out_proj", y, 32, 32));
    y = b.linear(name + ".mlp.0", b.layer_norm(name + ".ln_2", x, 32, 1e-6), 32, 64);
    y = b.linear(name + ".mlp.3", b.activate(name + ".act", y, networks::Activation::gelu_exact), 64, 32);
    x = b.add(name + ".add2", x, y);
    b.layer(fmt::format("block{}", i + 1), x);
  }
  b.layer("final", b.layer_norm("encoder.ln", x, 32, 1e-6));
  b.network().side = 32;
  b.network().has_class_token = true;
  b.network().default_pool = "cls";
  return b.finish("vit", "small-vit");
}

}  // namespace vise::test
