#include "extract/networks/checkpoint/hub_config.h"
#include "extract/networks/checkpoint/read_hub_config.h"

#include <fmt/format.h>

#include <algorithm>

#include "tests/shared.h"
#include "tests/unit/extract/networks/checkpoint/files.h"

namespace vise::networks {
namespace {

using test::contains;
using test::refusal;

// "act=quick (config.json); eps=..." in the order in which they were said.
std::string facts(const HubConfig& config) {
  std::string text;
  for (const Fact& fact : config.facts)
    text += fmt::format("{}{}={} ({})", text.empty() ? "" : "; ", fact.name, fact.value, fact.source);
  return text;
}
std::string facts_of(const std::string& json) { return facts(read_configs({.config = json})); }
std::string transform_of(const std::string& json) { return read_configs({.preprocessor = json}).transform; }
std::string notes_of(const HubConfig& config) { return config.notes.empty() ? "" : config.notes.front(); }

TEST(HubConfig, TransformersClipSaysWhatItsTensorsDoNot) {
  EXPECT_EQ(facts_of(R"({"model_type":"clip","text_config":{"hidden_act":"relu"},"vision_config":{"hidden_act":"gelu",)"
                     R"("layer_norm_eps":1e-05,"num_attention_heads":12}})"),
            "act=exact (config.json); eps=1e-05 (config.json); heads=12 (config.json); "
            "positions=size (transformers' code for clip)");
}

TEST(HubConfig, AClassesDefaultIsNamedAsSuch) {
  const std::string text = facts_of(R"({"model_type":"clip","vision_config":{"hidden_size":1024}})");
  EXPECT_TRUE(contains(text, "act=quick (transformers' default for clip, config.json being silent)"));
  EXPECT_TRUE(contains(facts_of(R"({"model_type":"siglip"})"), "act=tanh"));
  // DINOv2's default epsilon differed between releases, so it is asked for.
  EXPECT_FALSE(contains(facts_of(R"({"model_type":"dinov2"})"), "eps"));
}

TEST(HubConfig, FamiliesDifferInPositionsAndEpsilons) {
  EXPECT_TRUE(contains(facts_of(R"({"model_type":"dinov2","layer_norm_eps":1e-6})"), "positions=size"));
  EXPECT_TRUE(contains(facts_of(R"({"model_type":"dinov2_with_registers"})"), "positions=antialias"));
  EXPECT_FALSE(contains(facts_of(R"({"model_type":"dinov3_vit"})"), "positions"));
  const std::string convnext = facts_of(R"({"model_type":"convnext","hidden_act":"gelu","layer_norm_eps":1e-12})");
  EXPECT_TRUE(contains(convnext, "eps=1e-06 (transformers' code for convnext); final-eps=1e-12 (config.json)"));
}

TEST(HubConfig, WhatIsNotKnownIsNotGuessed) {
  EXPECT_TRUE(contains(notes_of(read_configs({.config = R"({"model_type":"beit"})"})), "'beit'"));
  const HubConfig odd = read_configs({.config = R"({"model_type":"vit","hidden_act":"selu"})"});
  EXPECT_TRUE(contains(notes_of(odd), "'selu'"));
  EXPECT_FALSE(contains(facts(odd), "act"));
  EXPECT_TRUE(
      contains(refusal([] { facts_of(R"({"model_type":"dinov3_vit","rope_theta":50})"); }), "rope_theta is 50"));
}

constexpr const char* kOpenClip =
    R"({{"model_cfg":{{"quick_gelu":{},"vision_cfg":{{"image_size":224,"layers":12,"width":768{}}}}},)"
    R"("preprocess_cfg":{{"interpolation":"bicubic","resize_mode":"{}"}}}})";

HubConfig open_clip(const char* quick, const char* more, const char* mode) {
  return read_configs({.open_clip = fmt::format(fmt::runtime(kOpenClip), quick, more, mode)});
}

TEST(HubConfig, OpenClipSaysQuickGeluAndItsTransform) {
  const HubConfig config = open_clip("true", "", "shortest");
  EXPECT_EQ(facts(config),
            "act=quick (open_clip_config.json); eps=1e-05 (open_clip's code); heads=12 (open_clip_config.json); "
            "positions=antialias (open_clip's code)");
  EXPECT_EQ(
      config.transform,
      "resize=224,filter=bicubic,crop=224,mean=0.48145466/0.4578275/0.40821073,std=0.26862954/0.26130258/0.27577711");
  EXPECT_TRUE(contains(facts(open_clip("false", "", "squash")), "act=exact"));
  EXPECT_TRUE(open_clip("false", "", "squash").transform.starts_with("squash=224,filter=bicubic,crop=none,"));
  EXPECT_TRUE(open_clip("false", "", "longest").transform.starts_with("longest=224,filter=bicubic,crop=224,"));
}

TEST(HubConfig, OpenClipTowersThatAreNotComputedAreRefused) {
  for (const char* more : {R"(,"pool_type":"avg")", R"(,"no_ln_pre":true)", R"(,"attentional_pool":true)",
                           R"(,"final_ln_after_pool":true)", R"(,"head_width":100)"})
    EXPECT_FALSE(refusal([&] { open_clip("false", more, "shortest"); }).empty()) << more;
  EXPECT_TRUE(contains(facts(open_clip("false", R"(,"head_width":80,"width":1280)", "shortest")), "heads=16"));
}

TEST(HubConfig, OpenClipWithATowerOfTimmsTakesTimmsFacts) {
  const HubConfig config = open_clip("true", R"(,"timm_model_name":"vit_base_patch16_siglip_224")", "squash");
  EXPECT_TRUE(contains(facts(config), "act=exact (timm's code for vit_base_patch16_siglip_224"));
  EXPECT_TRUE(contains(facts(config), "eps=1e-06"));
}

TEST(HubConfig, TimmsNamesTellItsFacts) {
  const auto of = [](const std::string& name) {
    return facts_of(fmt::format(R"({{"architecture":"{}","pretrained_cfg":{{}}}})", name));
  };
  EXPECT_TRUE(contains(of("vit_base_patch16_224"), "act=exact"));
  EXPECT_TRUE(contains(of("vit_base_patch16_224"), "eps=1e-06"));
  EXPECT_TRUE(contains(of("vit_base_patch32_clip_quickgelu_224"), "act=quick"));
  EXPECT_TRUE(contains(of("vit_base_patch32_clip_224"), "eps=1e-05"));
  EXPECT_TRUE(contains(of("vit_so400m_patch16_siglip_256"), "act=tanh"));
  EXPECT_TRUE(contains(of("vit_so400m_patch14_siglip_384"), "act=exact"));
  EXPECT_EQ(of("vit_base_patch16_siglip_gap_224"), "");
  EXPECT_EQ(of("vit_base_patch16_xp_224"), "");
}

TEST(HubConfig, TimmsCropFractionMakesTheResize) {
  const HubConfig config = read_configs(
      {.config = R"({"architecture":"vit_small_patch16_224","pretrained_cfg":{"input_size":[3,224,224],"crop_pct":0.9,)"
                 R"("interpolation":"bicubic","mean":[0.5,0.5,0.5],"std":[0.5,0.5,0.5]}})"});
  EXPECT_EQ(config.transform, "resize=248,filter=bicubic,crop=224,mean=0.5/0.5/0.5,std=0.5/0.5/0.5");
  EXPECT_EQ(config.transform_source, "config.json");
}

TEST(Preprocessor, ShortestEdgeAndBothEdges) {
  EXPECT_EQ(transform_of(R"({"image_processor_type":"BitImageProcessor","size":{"shortest_edge":256},"resample":3,)"
                         R"("do_center_crop":true,"crop_size":{"height":224,"width":224},"image_mean":[0.1,0.2,0.3],)"
                         R"("image_std":[1,1,0.5],"rescale_factor":0.00392156862745098})"),
            "resize=256,filter=bicubic,crop=224,centre=down,mean=0.1/0.2/0.3,std=1/1/0.5");
  EXPECT_EQ(transform_of(R"({"image_processor_type":"SiglipImageProcessor","size":{"height":224,"width":224},)"
                         R"("resample":2,"image_mean":[0.5,0.5,0.5],"image_std":[0.5,0.5,0.5]})"),
            "squash=224,filter=bilinear,crop=none,mean=0.5/0.5/0.5,std=0.5/0.5/0.5");
}

TEST(Preprocessor, OneNumberMeansWhatItsProcessorTakesItFor) {
  const auto of = [](const char* type, const char* more) {
    return transform_of(fmt::format(R"({{"feature_extractor_type":"{}","size":224,"resample":3,"image_mean":[0,0,0],)"
                                    R"("image_std":[1,1,1]{}}})",
                                    type, more));
  };
  EXPECT_TRUE(of("CLIPFeatureExtractor", R"(,"do_center_crop":true,"crop_size":224)").starts_with("resize=224,"));
  EXPECT_TRUE(of("ViTFeatureExtractor", "").starts_with("squash=224,"));
  EXPECT_TRUE(
      of("ConvNextFeatureExtractor", R"(,"crop_pct":0.875)").starts_with("resize=256,filter=bicubic,crop=224,"));
  EXPECT_EQ(of("OtherProcessor", ""), "");
  // torchvision's processors crop as torchvision does.
  EXPECT_FALSE(contains(of("CLIPImageProcessorFast", R"(,"do_center_crop":true,"crop_size":224)"), "centre"));
}

TEST(Preprocessor, ATransformThatIsNotComputedIsANoteAndNoTransform) {
  for (const char* fields :
       {R"("resample":1)", R"("resample":3,"do_rescale":false)", R"("resample":3,"rescale_factor":1)",
        R"("resample":3,"image_mean":[1,2])", R"("resample":"bicubic")"}) {
    const HubConfig config = read_configs(
        {.preprocessor = fmt::format(R"({{"size":{{"height":8,"width":8}},"image_std":[1,1,1],{}}})", fields)});
    EXPECT_EQ(config.transform, "") << fields;
    EXPECT_TRUE(notes_of(config).starts_with("preprocessor_config.json: ")) << fields;
  }
}

TEST(HubConfig, EveryFieldsTypeIsChecked) {
  for (const char* json :
       {R"({"model_type":3})", R"({"model_type":"clip","vision_config":3})", R"({"model_type":"vit","hidden_act":3})",
        R"({"model_type":"vit","layer_norm_eps":"1e-5"})", R"({"model_type":"vit","layer_norm_eps":-1})",
        R"({"model_type":"vit","num_attention_heads":0})", R"({"model_type":"vit","num_attention_heads":1.5})", "[]",
        "3", "{", R"({"a":1e999})", "-8e88888890", ""}) {
    if (*json == '\0') continue;
    EXPECT_TRUE(refusal([&] { facts_of(json); }).starts_with("config.json: ")) << json;
  }
  EXPECT_TRUE(contains(refusal([] { facts_of("{\"a\":" + std::string(100, '[')); }), "nested deeper"));
  EXPECT_TRUE(contains(refusal([] { facts_of(std::string(5'000'000, ' ')); }), "no config has more"));
}

TEST(HubConfig, IsFoundBesideAFolderAndAFileOfIt) {
  const test::ScratchDir scratch;
  write_file_atomically(scratch / "model.safetensors", std::string_view("x"));
  EXPECT_FALSE(config_beside(scratch.path()));
  write_file_atomically(scratch / "config.json", std::string_view(R"({"model_type":"vit"})"));
  write_file_atomically(scratch / "open_clip_config.json",
                        std::string_view(R"({"model_cfg":{"vision_cfg":{"layers":12}}})"));
  EXPECT_EQ(config_beside(scratch.path())->model, "vit (transformers)");
  EXPECT_EQ(config_beside(scratch / "model.safetensors")->model, "vit (transformers)");
  EXPECT_EQ(config_beside(scratch / "open_clip_model.safetensors")->model, "open_clip");
  EXPECT_FALSE(config_beside(scratch / "other.pth"));
}

}  // namespace
}  // namespace vise::networks
