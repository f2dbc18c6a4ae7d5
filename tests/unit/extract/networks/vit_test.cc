#include "extract/networks/families/vit/vit.h"
#include "extract/networks/family_registry.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "tests/unit/extract/networks/vit_loading.h"

namespace vise::networks {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace): every name of the miniatures

std::string said(const Network& network, const std::string& name) {
  for (const Fact& fact : network.facts)
    if (fact.name == name) return fact.value + " (" + fact.source + ")";
  return "";
}

std::vector<std::string> layers_of(const Network& network) {
  std::vector<std::string> names;
  for (const Layer& layer : network.layers) names.push_back(layer.name);
  return names;
}

// ---- the same tensors under other keys

TEST(Vit, IsTheSameFromEveryLayoutOfPlainViTs) {
  const LoadRequest both = saying({{"act", "exact"}, {"eps", "1e-6"}});
  const std::string hash = hash_of(timm_vit({}));
  EXPECT_EQ(hash_of(transformers_vit(), both), hash);
  EXPECT_EQ(hash_of(transformers_vit(""), both), hash);
  EXPECT_EQ(hash_of(torchvision_vit()), hash);
  EXPECT_EQ(hash_of(torchvision_vit(true)), hash);
  EXPECT_EQ(hash_of(prefixed(timm_vit({.head = true}), "model.")), hash);
}

TEST(Vit, IsTheSameFromEveryLayoutOfClip) {
  const LoadRequest act = saying({{"act", "quick"}});
  EXPECT_EQ(hash_of(openai_clip(), act), hash_of(transformers_clip(), act));
  EXPECT_EQ(hash_of(prefixed(openai_clip(), "state_dict.module."), act), hash_of(openai_clip(), act));
  EXPECT_NE(hash_of(openai_clip(true), act), hash_of(openai_clip(), act));
}

TEST(Vit, IsTheSameFromEveryLayoutOfSigLip) {
  const LoadRequest both = saying({{"act", "tanh"}, {"eps", "1e-6"}});
  EXPECT_EQ(hash_of(transformers_siglip(), both), hash_of(timm_siglip(), both));
  EXPECT_EQ(hash_of(prefixed(timm_siglip(), "visual.trunk."), both), hash_of(timm_siglip(), both));
}

TEST(Vit, IsTheSameFromEveryLayoutOfDino) {
  const LoadRequest both = saying({{"act", "exact"}, {"eps", "1e-6"}});
  for (const bool registers : {false, true})
    EXPECT_EQ(hash_of(transformers_dinov2(registers), both), hash_of(dinov2(registers), both));
  EXPECT_EQ(hash_of(timm_registers()), hash_of(dinov2(true)));
  EXPECT_EQ(hash_of(transformers_dinov2(false, Mlp::gate, "dinov2."), both), hash_of(dinov2(false, Mlp::gate)));
  EXPECT_EQ(hash_of(timm_vit({.layer_scale = true, .mlp = Mlp::gate})), hash_of(dinov2(false, Mlp::gate)));
  for (const Mlp mlp : {Mlp::plain, Mlp::gate}) {
    EXPECT_EQ(hash_of(transformers_dinov3(mlp), saying({{"act", "exact"}, {"eps", "1e-5"}})), hash_of(dinov3(mlp)));
    EXPECT_EQ(hash_of(timm_dinov3(mlp)), hash_of(dinov3(mlp)));
  }
}

TEST(Vit, IsTheSameFromEveryLayoutOfEva02) {
  EXPECT_EQ(hash_of(eva02_authors()), hash_of(timm_eva02()));
  EXPECT_EQ(hash_of(prefixed(timm_eva02(), "visual.trunk.")), hash_of(timm_eva02()));
}

// In EVA's code the class token enters the mean before fc_norm, in timm's it doesn't.
TEST(Vit, RefusesTheMeanOfEvasAuthors) {
  const std::string why = why_not(file_of(relabelled(eva02_authors(), {{"visual.norm", "visual.fc_norm"}}, "", {})));
  EXPECT_TRUE(contains(why, "2 missing (visual.norm.weight, visual.norm.bias)")) << why;
}

// timm's Perception Encoder has SigLIP's keys, a class token's, and rotary positions that no tensor tells.
TEST(Vit, RefusesThePerceptionEncoder) {
  Tensors encoder = timm_siglip();
  encoder.emplace_back("cls_token", drawn("cls_token", {1, 1, kWidth}));
  EXPECT_TRUE(
      contains(why_not(file_of(encoder), saying({{"act", "exact"}})), "Perception Encoder isn't computed here"));
}

TEST(Vit, AddsTheClassTokensPositionToIt) {
  const Tensors file = timm_vit({});
  const Network network = load_network(file_of(file));
  const auto tokens =
      std::find_if(network.ops.begin(), network.ops.end(), [](const Op& op) { return op.as<Tokens>(); });
  const Parameter& prefix = tokens->as<Tokens>()->prefix;
  ASSERT_EQ(prefix.shape(), (std::vector<std::int64_t>{1, kWidth}));
  for (std::size_t c = 0; c < kWidth; ++c)
    EXPECT_EQ(prefix.values()[c], at(file, "cls_token").floats[c] + at(file, "pos_embed").floats[c]);
  EXPECT_EQ(tokens->as<Tokens>()->positions.values().front(), at(file, "pos_embed").floats[kWidth]);
}

TEST(Vit, MasksTheKeysBiasOfDinoV3) {
  Tensors changed = dinov3();
  for (std::size_t i = kWidth; i < 2 * kWidth; ++i) at(changed, "blocks.0.attn.qkv.bias").floats[i] += 1;
  EXPECT_EQ(hash_of(changed), hash_of(dinov3()));
  at(changed, "blocks.0.attn.qkv.bias").floats[0] += 1;
  EXPECT_NE(hash_of(changed), hash_of(dinov3()));
}

// ---- layers

TEST(Vit, NamesWhatItsAuthorsProbe) {
  const auto chosen = [](const Tensors& tensors) {
    const Network network = load_network(file_of(tensors), saying({{"act", "exact"}, {"eps", "1e-6"}}));
    return network.default_layer + " " + network.default_pool;
  };
  EXPECT_EQ(chosen(openai_clip()), "post avg");
  EXPECT_EQ(chosen(transformers_clip()), "post avg");
  EXPECT_EQ(chosen(without(without(transformers_clip(), "visual_projection.weight"), "text_projection.weight")),
            "pre avg");
  EXPECT_EQ(chosen(timm_siglip()), "map avg");
  EXPECT_EQ(chosen(dinov2(true)), "final cls");
  EXPECT_EQ(chosen(dinov3()), "final cls");
  EXPECT_EQ(chosen(timm_vit({})), "final cls");
  EXPECT_EQ(chosen(timm_vit({.distillation = true})), "final cls+dist");
  EXPECT_EQ(chosen(mae_finetuned()), "final avg");
  EXPECT_EQ(chosen(timm_eva02()), "post avg");
}

TEST(Vit, HasVectorsOfTheirSizes) {
  const Outline clip = outline(load_network(file_of(openai_clip()), saying({{"act", "quick"}})));
  EXPECT_EQ(clip.layer_names(), (std::vector<std::string>{"block1", "block2", "final", "pre", "post"}));
  EXPECT_TRUE(clip.layer("pre").vector);
  EXPECT_EQ(clip.layer("pre").channels, kWidth);
  EXPECT_EQ(clip.layer("post").channels, kOut);
  EXPECT_EQ(clip.layer("final").prefix, 1);
  EXPECT_TRUE(clip.has_class_token);
  EXPECT_EQ(clip.side, kGrid * kPatch);
  const Outline registers = outline(load_network(file_of(dinov2(true))));
  EXPECT_EQ(registers.layer("block1").prefix, 5);
  const Outline siglip = outline(load_network(file_of(timm_siglip()), saying({{"act", "exact"}})));
  EXPECT_FALSE(siglip.has_class_token);
  EXPECT_TRUE(siglip.layer("map").vector);
  const Outline distilled = outline(load_network(file_of(timm_vit({.distillation = true}))));
  EXPECT_TRUE(distilled.has_distillation_token);
  EXPECT_TRUE(outline(load_network(file_of(mae_finetuned()))).layer("final").vector);
}

TEST(Vit, NormsTheLastFourBlocksByTheSameNorm) {
  NoWeights none;
  const Network network = build_vit(vit_spec("vit-s16"), none);
  const std::vector<std::string> names = layers_of(network);
  EXPECT_EQ(std::vector<std::string>(names.end() - 7, names.end()),
            (std::vector<std::string>{"final-3", "block10", "final-2", "block11", "final-1", "block12", "final"}));
  EXPECT_EQ(outline(network).layer_names().size(), 13U);
}

// ---- what the tensors don't say

TEST(Vit, AsksWhatTheKeyLayoutLeavesOpen) {
  EXPECT_TRUE(contains(why_not(file_of(openai_clip())), "act=")) << why_not(file_of(openai_clip()));
  EXPECT_TRUE(contains(why_not(file_of(openai_clip())), "quick in OpenAI's"));
  EXPECT_TRUE(contains(why_not(file_of(timm_siglip())), "act="));
  EXPECT_TRUE(contains(why_not(file_of(timm_vit({.pre_norm = true}))), "act="));
  for (const Tensors& file :
       {transformers_siglip(), transformers_vit(), transformers_dinov2(false), transformers_dinov3()}) {
    EXPECT_TRUE(contains(why_not(file_of(file)), "act="));
    EXPECT_TRUE(contains(why_not(file_of(file), saying({{"act", "exact"}})), "eps="));
  }
  // A gate has no other activation.
  EXPECT_EQ(why_not(file_of(transformers_dinov3(Mlp::gate)), saying({{"eps", "1e-5"}})), "");
}

TEST(Vit, SaysWhatItKnowsByTheKeyLayout) {
  const Network tv = load_network(file_of(torchvision_vit()));
  EXPECT_EQ(said(tv, "act"), "exact (the key layout (torchvision's code))");
  EXPECT_EQ(said(tv, "eps"), "1e-6 (the key layout (torchvision's code))");
  EXPECT_EQ(said(tv, "positions"), "");
  EXPECT_EQ(said(load_network(file_of(dinov3())), "eps"), "1e-5 (the key layout (DINOv3's code))");
  EXPECT_EQ(said(load_network(file_of(openai_clip()), saying({{"act", "quick"}})), "act"), "quick (the user)");
}

TEST(Vit, BelievesTheUserMoreThanTheKeyLayout) {
  const Network network = load_network(file_of(torchvision_vit()), saying({{"eps", "1e-12"}, {"act", "tanh"}}));
  EXPECT_TRUE(contains(said(network, "eps"), "1e-12 (the user")) << said(network, "eps");
  const auto norm =
      std::find_if(network.ops.begin(), network.ops.end(), [](const Op& op) { return op.as<LayerNorm>(); });
  EXPECT_EQ(norm->as<LayerNorm>()->eps, 1e-12);
  const auto act = std::find_if(network.ops.begin(), network.ops.end(), [](const Op& op) { return op.as<Activate>(); });
  EXPECT_EQ(act->as<Activate>()->function, Activation::gelu_tanh);
}

TEST(Vit, KnowsOpenAisArchivesByTheNumbersBesideThem) {
  Tensors archive = openai_clip();
  for (const char* name : {"input_resolution", "context_length", "vocab_size"})
    archive.emplace_back(name, drawn(name, {}));
  EXPECT_TRUE(contains(said(load_network(file_of(archive)), "act"), "quick (OpenAI's archive"));
}

std::optional<PositionRule> rule_of(const Tensors& tensors, const LoadRequest& request = {}) {
  const Network network = load_network(file_of(tensors), request);
  for (const Op& op : network.ops)
    if (const auto* tokens = op.as<Tokens>()) return tokens->rule;
  return std::nullopt;
}

TEST(Vit, ResizesPositionsByTheRuleOfTheCodeThatReadsTheLayout) {
  const LoadRequest both = saying({{"act", "exact"}, {"eps", "1e-6"}});
  EXPECT_EQ(rule_of(openai_clip(), both), PositionRule::antialias);
  EXPECT_EQ(rule_of(transformers_clip(), both), PositionRule::size);
  EXPECT_EQ(rule_of(transformers_vit(), both), PositionRule::size);
  EXPECT_EQ(rule_of(transformers_siglip(), both), PositionRule::size);
  EXPECT_EQ(rule_of(transformers_dinov2(false), both), PositionRule::size);
  EXPECT_EQ(rule_of(transformers_dinov2(true), both), PositionRule::antialias);
  EXPECT_EQ(rule_of(dinov2(true)), PositionRule::antialias);
  EXPECT_EQ(rule_of(timm_siglip(), both), PositionRule::antialias);
}

// DINO's hub code, DINOv2's and timm resize the same keys by different rules.
TEST(Vit, LeavesTheRuleOpenWhereTwoCodesReadTheLayout) {
  for (const Tensors& file : {dinov2(false), timm_vit({}), torchvision_vit()}) {
    EXPECT_EQ(rule_of(file), std::nullopt);
    EXPECT_EQ(rule_of(file, saying({{"positions", "scale"}})), PositionRule::scale);
  }
}

TEST(Vit, TakesHeadsFromPeriodsWidthOrTheUser) {
  const auto heads = [](const Tensors& tensors, const LoadRequest& request = {}) {
    const Network network = load_network(file_of(tensors), request);
    for (const Op& op : network.ops)
      if (const auto* attention = op.as<Attention>()) return attention->heads;
    return 0;
  };
  EXPECT_EQ(heads(timm_vit({})), 1);
  EXPECT_EQ(heads(timm_vit({}), saying({{"heads", "4"}})), 4);
  Tensors two = dinov3();
  at(two, "rope_embed.periods") = drawn("periods", {kWidth / 8});
  EXPECT_EQ(heads(two), 2);
  EXPECT_TRUE(contains(why_not(file_of(timm_vit({})), saying({{"heads", "5"}})), "5 heads do not divide 64 channels"));
  EXPECT_EQ(usual_vit_heads(768), 12);
  EXPECT_EQ(usual_vit_heads(1152), 16);
  EXPECT_EQ(usual_vit_heads(1280), 16);
  EXPECT_EQ(usual_vit_heads(100), 0);
}

// ---- what accompanies it

TEST(Vit, DropsWhatStandsBesideByRules) {
  Tensors mae = timm_vit({});
  for (const char* name : {"decoder_embed.weight", "decoder_blocks.0.norm1.weight", "decoder_pos_embed", "mask_token"})
    mae.emplace_back(name, drawn(name, {1}));
  std::map<std::string, std::size_t> rules;
  for (const DroppedKeys& dropped : report_of(prefixed(mae, "model.")).dropped)
    rules[dropped.rule] = dropped.keys.size();
  EXPECT_EQ(rules, (std::map<std::string, std::size_t>{{"MAE's decoder", 3}, {"mask token", 1}}));
  rules.clear();
  for (const DroppedKeys& dropped : report_of(eva02_authors()).dropped) rules[dropped.rule] = dropped.keys.size();
  EXPECT_EQ(rules, (std::map<std::string, std::size_t>{{"tables of rotary positions", 3}, {"text encoder", 1}}));
}

TEST(Vit, TakesTheTeacherOfDino) {
  Tensors both = prefixed(timm_vit({}), "teacher.module.backbone.");
  for (auto& [name, values] : prefixed(timm_vit({}), "student.module.backbone.")) {
    values.floats.front() += 1;
    both.emplace_back(name, std::move(values));
  }
  EXPECT_EQ(report_of(both).prefix, "teacher.module.backbone.");
  EXPECT_EQ(hash_of(both), hash_of(timm_vit({})));
}

TEST(Vit, IsNotSeenInASwinsStages) {
  Tensors swin;
  for (const char* name :
       {"patch_embed.proj.weight", "layers.0.blocks.0.norm1.weight", "layers.0.blocks.0.norm2.weight", "norm.weight"})
    swin.emplace_back(name, drawn(name, {2, 3, 4, 4}));
  EXPECT_TRUE(contains(why_not(file_of(swin)), "no network that is known"));
}

// ---- sizes

TEST(Vit, NamesPublishedSizes) {
  for (const std::string& name : vit_architectures()) {
    EXPECT_EQ(vit_architecture(vit_spec(name)), name);
    EXPECT_EQ(outline_of(name).architecture, name);
  }
  VitSpec odd = vit_spec("vit-b16");
  odd.depth = 3;
  EXPECT_EQ(vit_architecture(odd), "vit-768x3-16");
  EXPECT_THROW(vit_spec("vit-q16"), Error);
}

TEST(Vit, HasThePublishedNumbersOfParameters) {
  const auto count = [](const VitSpec& spec) {
    NoWeights none;
    return parameter_count(build_vit(spec, none));
  };
  // torchvision's vit_b_16 without its classifier: 86,567,656 - 769,000 (docs of VIT_B_16_Weights).
  // The last norm is in the network four times, at the end and after the three blocks before; the class token and
  // its position are one.
  EXPECT_EQ(count(vit_spec("vit-b16")), 86'567'656U - 769'000U + 3U * 2U * 768U - 768U);
}

TEST(Vit, RandomOnesHoldDrawnNumbersThatDependOnTheSeed) {
  EXPECT_EQ(parameters_hash(random_network("vit-ti16", 0)), parameters_hash(random_network("vit-ti16", 0)));
  EXPECT_NE(parameters_hash(random_network("vit-ti16", 0)), parameters_hash(random_network("vit-ti16", 1)));
}

}  // namespace
}  // namespace vise::networks
