// Every key layout of vision transformers: recognised by its keys, whole or refused.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cmath>

#include "tests/unit/extract/networks/vit_loading.h"

namespace vise::networks {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace): every name of the miniatures

// A file of each layout, what has to be said about it, and which of its tensors may be missing or strange without
// harm: they aren't the network's, or their absence is another published network.
struct Sample {
  std::string layout;
  Tensors tensors;
  LoadRequest request{};
  std::vector<std::string> optional{};
};

std::vector<Sample> make_samples() {
  const LoadRequest act = saying({{"act", "exact"}}), both = saying({{"act", "exact"}, {"eps", "1e-6"}});
  const std::vector<std::string> text{"positional_embedding",
                                      "text_projection",
                                      "logit_scale",
                                      "token_embedding.weight",
                                      "transformer.resblocks.0.ln_1.weight",
                                      "ln_final.bias"};
  const std::vector<std::string> hf_text{"vision_model.embeddings.position_ids",
                                         "text_projection.weight",
                                         "logit_scale",
                                         "text_model.encoder.layers.0.layer_norm1.weight",
                                         "logit_bias",
                                         "text_model.final_layer_norm.weight"};
  const std::vector<std::string> head{"head.weight", "head.bias", "head_dist.weight", "head_dist.bias"};
  return {
      {"openai", openai_clip(), act, text},
      {"openai", openai_clip(true), act, text},
      {"transformers-clip", transformers_clip(), act, hf_text},
      {"transformers-siglip", transformers_siglip(), both, hf_text},
      {"transformers-vit", transformers_vit(), both, {"classifier.weight", "vit.pooler.dense.weight"}},
      {"transformers-dinov2", transformers_dinov2(false), both, {"embeddings.mask_token"}},
      // Without its registers it is a DINOv2 without registers: the config beside it would say.
      {"transformers-dinov2", transformers_dinov2(true), both, {"embeddings.mask_token", "embeddings.register_tokens"}},
      {"transformers-dinov2", transformers_dinov2(false, Mlp::gate), both, {"embeddings.mask_token"}},
      {"transformers-dinov3", transformers_dinov3(), both, {"embeddings.mask_token"}},
      {"transformers-dinov3", transformers_dinov3(Mlp::gate), both, {"embeddings.mask_token"}},
      {"torchvision", torchvision_vit(), {}, {"heads.head.weight"}},
      {"torchvision-0.12", torchvision_vit(true), {}, {"heads.head.weight"}},
      {"timm", timm_vit({.head = true}), {}, head},
      {"timm", timm_vit({.distillation = true, .head = true}), {}, head},
      {"timm", timm_vit({.pre_norm = true}), act},
      {"timm", timm_siglip(), act},
      {"timm", timm_registers(), {}, {"reg_token"}},
      {"timm", mae_finetuned(), {}, head},
      {"deit3", deit3(), {}, head},
      {"dinov2", dinov2(true), {}, {"mask_token", "register_tokens"}},
      {"dinov2", dinov2(false, Mlp::gate), {}, {"mask_token"}},
      {"timm-dinov3", timm_dinov3()},
      {"timm-dinov3", timm_dinov3(Mlp::gate)},
      {"dinov3", dinov3(), {}, {"mask_token"}},
      {"dinov3", dinov3(Mlp::gate), {}, {"mask_token"}},
      {"open_clip-timm", prefixed(timm_siglip(), "visual.trunk."), act},
      {"timm-eva02", timm_eva02()},
      {"open_clip-timm-eva02", prefixed(timm_eva02(), "visual.trunk.")},
      {"eva02",
       eva02_authors(),
       {},
       {"visual.rope.freqs_cos", "visual.rope.freqs_sin", "visual.blocks.1.attn.rope.freqs_cos",
        "text.positional_embedding"}}};
}

const std::vector<Sample>& samples() {
  static const std::vector<Sample> all = make_samples();
  return all;
}

class Layouts : public testing::TestWithParam<std::size_t> {
 protected:
  const Sample& sample = samples()[GetParam()];
  bool is_optional(const std::string& name) const {
    return std::find(sample.optional.begin(), sample.optional.end(), name) != sample.optional.end();
  }
};

INSTANTIATE_TEST_SUITE_P(Vit, Layouts, testing::Range(std::size_t{0}, samples().size()), [](const auto& index) {
  std::string name = std::to_string(index.param) + "_" + samples()[index.param].layout;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c != '_' && std::isalnum(c) == 0; }, '_');
  return name;
});

TEST_P(Layouts, AreToldByTheirKeysBelowAnyPrefix) {
  const std::string hash = hash_of(sample.tensors, sample.request);
  for (const std::string prefix : {"", "module.", "state_dict.module."}) {
    const Tensors tensors = prefixed(sample.tensors, prefix);
    const LoadReport report = report_of(tensors, sample.request);
    EXPECT_EQ(report.layout, sample.layout);
    EXPECT_EQ(report.prefix.substr(0, prefix.size()), prefix);
    EXPECT_EQ(hash_of(tensors, sample.request), hash);
  }
}

TEST_P(Layouts, LackNoTensor) {
  for (const auto& [name, values] : sample.tensors) {
    const std::string why = why_not(file_of(without(sample.tensors, name)), sample.request);
    EXPECT_EQ(why.empty(), is_optional(name)) << name << ": " << why;
    EXPECT_TRUE(why.empty() || contains(why, "x.pth: not a whole ")) << name << ": " << why;
  }
}

TEST_P(Layouts, HaveNoTensorMore) {
  for (const auto& [name, values] : sample.tensors) {
    // Below "head" a rule drops what isn't EVA-02's projection, as a classifier.
    if (is_optional(name) || name.starts_with("head.") || name.starts_with("visual.head.")) continue;
    Tensors more = sample.tensors;
    more.emplace_back(name + "_more", drawn("more", {2}));
    const std::string why = why_not(file_of(more), sample.request);
    EXPECT_TRUE(contains(why, "1 unexpected (" + name + "_more)")) << name << ": " << why;
  }
}

TEST_P(Layouts, HaveTensorsOfTheirShapes) {
  for (const auto& [name, values] : sample.tensors) {
    if (is_optional(name)) continue;
    for (const std::size_t dimension : {std::size_t{0}, values.shape.size() - 1}) {
      Tensors changed = sample.tensors;
      std::vector<std::int64_t> shape = values.shape;
      ++shape[dimension];
      at(changed, name) = drawn(name, shape);
      EXPECT_FALSE(why_not(file_of(changed), sample.request).empty()) << name << " in dimension " << dimension;
    }
  }
}

TEST_P(Layouts, HoldFiniteNumbers) {
  for (const auto& [name, values] : sample.tensors) {
    if (is_optional(name)) continue;
    Tensors changed = sample.tensors;
    at(changed, name).floats.back() = std::nanf("");
    EXPECT_TRUE(contains(why_not(file_of(changed), sample.request), name + " holds NaN or infinity")) << name;
  }
}

TEST_P(Layouts, GiveEveryBlockAndTheNormedTokens) {
  const Network network = load_network(file_of(sample.tensors), sample.request);
  const Outline seen = outline(network);
  EXPECT_EQ(seen.layer("block2").channels, kWidth);
  EXPECT_EQ(seen.layer("final").channels, kWidth);
  EXPECT_NO_THROW(seen.layer(seen.default_layer));
  EXPECT_EQ(network.architecture.substr(0, network.architecture.find('-', 6)),
            sample.layout.ends_with("eva02") ? "eva02-64x2" : "vit-64x2");
}

}  // namespace
}  // namespace vise::networks
