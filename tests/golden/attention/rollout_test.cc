// Class-token attention and attention rollout of a small ViT against torch's own attention weights and the authors'
// formula (rollout_oracle.py). Skipped where Debian's python3-torchvision isn't there.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <numeric>

#include "base/error.h"
#include "extract/networks/attention_weights.h"
#include "extract/networks/families/vit/vit.h"
#include "extract/networks/family_registry.h"
#include "extract/networks/make_trunk.h"
#include "tests/golden/floats.h"
#include "tests/golden/small_vit.h"
#include "tests/shared.h"

namespace vise {
namespace {

// A network's attentions for one image, by oneDNN; `weights` has a head's matrices for each tap.
struct Attended {
  Attended(networks::Network network, const std::string& layer, std::span<const float> image) {
    taps = networks::tap_attentions(network, layer);
    networks::TrunkRequest request{.layers = {}, .batch = 1, .side = network.side};
    for (const networks::AttentionTap& tap : taps) request.layers.push_back(tap.layer);
    trunk = networks::make_trunk(network, request);
    std::ranges::copy(image, trunk->input().begin());
    trunk->forward();
    for (std::size_t i = 0; i < taps.size(); ++i) {
      weights.push_back(networks::attention_weights(taps[i], trunk->maps(i), 0));
      means.push_back(networks::head_mean(weights.back()));
    }
  }
  std::vector<networks::AttentionTap> taps;
  std::unique_ptr<networks::Trunk> trunk;
  std::vector<std::vector<networks::AttentionMatrix>> weights;
  std::vector<networks::AttentionMatrix> means;
};

std::vector<float> floats(const std::vector<double>& values) { return {values.begin(), values.end()}; }

TEST(Attention, OfTheClassTokenAndItsRolloutAreTorchs) {
  if (std::system("/usr/bin/python3 -c 'import torchvision' 2>/dev/null") != 0)
    GTEST_SKIP() << "skipped: python3-torchvision not found";
  const test::ScratchDir dir;
  test::NamedWeights weights;
  const networks::Network network = test::small_vit(weights);
  for (const auto& [key, parameter] : weights.taken) test::put_floats(dir / (key + ".bin"), parameter.values());
  // Our prefix is the class token with its position; torchvision's table has a row for it.
  std::vector<float> table(32), grid = test::floats_in(dir / "grid.bin");
  table.insert(table.end(), grid.begin(), grid.end());
  test::put_floats(dir / "encoder.pos_embedding.bin", table);
  const std::vector<float> image = test::drawn("image", 3 * 32 * 32, 0, 1);
  test::put_floats(dir / "image.bin", image);
  const Path oracle = Path(VISE_SOURCE_DIR) / "tests/golden/attention/rollout_oracle.py";
  ASSERT_EQ(std::system(fmt::format("{} {}", oracle.string(), dir.path().string()).c_str()), 0);
  const Attended seen(network, "final", image);
  ASSERT_EQ(seen.means.size(), 3U);
  EXPECT_LE(test::relative_error(floats(networks::class_token_attention(seen.means.back(), 16)),
                                 test::floats_in(dir / "last.bin")),
            1e-5);
  EXPECT_LE(
      test::relative_error(floats(networks::attention_rollout(seen.means, 16)), test::floats_in(dir / "rollout.bin")),
      1e-5);
  // Up to a layer in the middle it is another picture.
  const Attended half(network, "block1", image);
  ASSERT_EQ(half.means.size(), 1U);
  EXPECT_GT(
      test::relative_error(floats(networks::attention_rollout(half.means, 16)), test::floats_in(dir / "rollout.bin")),
      1e-3);
}

// With rotary positions too, the weights are those that the network computed with: they take its own values to the
// attention's own output.
TEST(Attention, WeightsTakeTheValuesToWhatTheNetworkComputed) {
  networks::VitSpec plain;
  plain.width = plain.hidden = 64;
  plain.depth = plain.heads = 2;
  plain.patch = 8;
  plain.grid = 4;
  networks::VitSpec halves = plain, pairs = plain;
  halves.registers = 3;
  halves.rope = networks::VitRope{networks::Rope::Coordinate::unit, networks::Rope::Pairing::halves, 100};
  pairs.rope = networks::VitRope{networks::Rope::Coordinate::cells, networks::Rope::Pairing::pairs, 100};
  for (const networks::VitSpec& spec : {plain, halves, pairs}) {
    SCOPED_TRACE(spec.rope ? static_cast<int>(spec.rope->pairing) : -1);
    test::NamedWeights weights;
    networks::Network network = networks::build_vit(spec, weights);
    const std::vector<float> image = test::drawn("image", 3 * 32 * 32, 0, 1);
    std::size_t op = 0;  // the first attention
    while (!network.ops[op].as<networks::Attention>()) ++op;
    networks::TrunkRequest request{.layers = {"queries", "attended"}, .batch = 1, .side = 32};
    std::vector<networks::AttentionTap> taps{{"queries", *network.ops[op].as<networks::Attention>()}};
    network.layers.push_back({"queries", network.ops[op].inputs[0]});
    network.layers.push_back({"attended", networks::Network::value_of(op)});
    const auto trunk = networks::make_trunk(network, request);
    std::ranges::copy(image, trunk->input().begin());
    trunk->forward();
    const networks::FeatureMaps qkv = trunk->maps(0), attended = trunk->maps(1);
    const std::vector<networks::AttentionMatrix> heads = networks::attention_weights(taps[0], qkv, 0);
    const std::size_t channels = static_cast<std::size_t>(attended.channels), d = channels / heads.size();
    std::vector<float> expected(attended.values.begin(), attended.values.end()), got(expected.size());
    for (std::size_t h = 0; h < heads.size(); ++h)
      for (std::size_t t = 0; t < heads[h].tokens; ++t)
        for (std::size_t c = 0; c < d; ++c) {
          double sum = 0;
          for (std::size_t u = 0; u < heads[h].tokens; ++u)
            sum += heads[h].weights[t * heads[h].tokens + u] *
                   static_cast<double>(qkv.values[u * 3 * channels + 2 * channels + h * d + c]);
          got[t * channels + h * d + c] = static_cast<float>(sum);
        }
    EXPECT_LE(test::relative_error(got, expected), 1e-5);
  }
}

std::string refusal(networks::Network network) {
  try {
    const std::string layer = network.default_layer;
    networks::tap_attentions(network, layer);
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::usage);
    return e.message();
  }
  return {};
}

TEST(Attention, IsRefusedWhereThereIsNoClassToken) {
  networks::NoWeights none;
  networks::VitSpec without = networks::vit_spec("vit-s16");
  EXPECT_EQ(refusal(networks::build_vit(without, none)), "");
  without.class_token = false;
  EXPECT_EQ(refusal(networks::build_vit(without, none)),
            "a vit-s16 has no class token: no class-token attention and no rollout");
  for (const char* architecture : {"resnet18", "swin-t", "convnext-t"})
    EXPECT_NE(refusal(networks::family_of(architecture).build(architecture, none)).find("has no class token"),
              std::string::npos)
        << architecture;
}

}  // namespace
}  // namespace vise
