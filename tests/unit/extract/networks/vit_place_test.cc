// A vision transformer's features are the same to the last bit at every place of a batch, whatever its parts:
// a product's rows may meet other kernels at a block's edge, so the numbers of tokens are odd ones.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/random.h"
#include "extract/networks/families/vit/vit.h"
#include "extract/networks/make_trunk.h"
#include "extract/networks/trunk.h"

namespace vise::networks {
namespace {

constexpr int kBatch = 4, kImages = 4;

struct Variant {
  const char* name;
  VitSpec spec;
};

VitSpec small() {
  VitSpec spec;
  spec.width = 192;
  spec.depth = 2;
  spec.heads = 3;
  spec.hidden = 768;
  spec.patch = 16;
  spec.grid = 6;  // 37 tokens
  return spec;
}

std::vector<Variant> variants() {
  std::vector<Variant> all{{"plain", small()}};
  const auto add = [&](const char* name, auto change) {
    all.push_back({name, small()});
    change(all.back().spec);
  };
  add("registers", [](VitSpec& spec) { spec.registers = 4, spec.layer_scale = true; });    // 41 tokens
  add("distilled", [](VitSpec& spec) { spec.distillation_token = true, spec.grid = 7; });  // 51
  add("clip", [](VitSpec& spec) {
    spec.pre_norm = true, spec.patch_bias = false, spec.end = VitSpec::End::class_token, spec.projection = 65;
    spec.activation = Activation::gelu_quick;
  });
  add("siglip", [](VitSpec& spec) {  // 49 tokens
    spec.class_token = false, spec.grid = 7, spec.end = VitSpec::End::map, spec.map_hidden = 768;
    spec.activation = Activation::gelu_tanh;
  });
  add("dinov3", [](VitSpec& spec) {  // 201
    spec.registers = 4, spec.grid = 0, spec.gated = true, spec.hidden = 512;
    spec.rope = VitRope{Rope::Coordinate::unit, Rope::Pairing::halves, 100.0};
  });
  add("eva02", [](VitSpec& spec) {
    spec.gated = spec.attention_norm = spec.mlp_norm = true, spec.hidden = 513;
    spec.rope = VitRope{Rope::Coordinate::cells, Rope::Pairing::pairs, 10000.0};
  });
  add("means", [](VitSpec& spec) { spec.end = VitSpec::End::mean; });
  return all;
}

// An image's values of one layer, as bits.
using Bits = std::vector<float>;

std::vector<std::vector<Bits>> run(Trunk& trunk, std::size_t layers, const std::vector<int>& order) {
  const std::size_t size = trunk.input().size() / kBatch;
  for (std::size_t place = 0; place < kBatch; ++place) {
    RandomStream random("image" + std::to_string(order[place]), 0);
    for (float& value : trunk.input().subspan(place * size, size)) value = static_cast<float>(random.normal());
  }
  trunk.forward();
  std::vector<std::vector<Bits>> found(kImages, std::vector<Bits>(layers));
  for (std::size_t layer = 0; layer < layers; ++layer) {
    const std::span<const float> values = trunk.maps(layer).values;
    const std::size_t each = values.size() / kBatch;
    for (std::size_t place = 0; place < kBatch; ++place) {
      const auto part = values.subspan(place * each, each);
      found[static_cast<std::size_t>(order[place])][layer].assign(part.begin(), part.end());
    }
  }
  return found;
}

class VitPlaces : public testing::TestWithParam<std::tuple<Variant, Precision>> {};

TEST_P(VitPlaces, DoNotChangeABit) {
  const auto& [variant, precision] = GetParam();
  RandomWeights weights("places", 0);
  const Network network = build_vit(variant.spec, weights);
  const std::vector<std::string> layers = outline(network).layer_names();
  std::unique_ptr<Trunk> trunk;
  try {
    trunk = make_trunk(network, {Engine::onednn, precision, layers, kBatch, network.side, {}});
  } catch (const Error& e) {
    if (precision == Precision::bf16) GTEST_SKIP() << "skipped: " << e.message();
    throw;
  }
  const auto first = run(*trunk, layers.size(), {0, 1, 2, 3});
  EXPECT_NE(first[0], first[1]);
  for (const std::vector<int>& order : {std::vector{3, 0, 1, 2}, {2, 3, 0, 1}, {1, 2, 3, 0}, {0, 0, 0, 0}}) {
    const auto again = run(*trunk, layers.size(), order);
    for (const int image : order)
      for (std::size_t layer = 0; layer < layers.size(); ++layer) {
        const Bits &before = first[static_cast<std::size_t>(image)][layer],
                   &now = again[static_cast<std::size_t>(image)][layer];
        ASSERT_EQ(before.size(), now.size());
        EXPECT_EQ(std::memcmp(before.data(), now.data(), before.size() * sizeof(float)), 0)
            << variant.name << ", " << layers[layer] << ", image " << image;
      }
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, VitPlaces, testing::Combine(testing::ValuesIn(variants()), testing::Values(Precision::fp32, Precision::bf16)),
    [](const auto& each) {
      return std::string(std::get<0>(each.param).name) + "_" + std::string(precision_name(std::get<1>(each.param)));
    });

}  // namespace
}  // namespace vise::networks
