#include "extract/networks/families/convnext/convnext.h"
#include "extract/networks/family_registry.h"

#include "tests/unit/extract/networks/family_files.h"

namespace vise::networks {
namespace {

using Tensors = std::vector<NamedTensor>;
using Projection = ConvNextSpec::Projection;

// The keys of every code, spelt as its modules are called.
const test::Renaming kTorchvision{{R"(^stem\.)", "features.0."},
                                  {R"(^stages\.1\.downsample\.)", "features.2."},
                                  {R"(^stages\.2\.downsample\.)", "features.4."},
                                  {R"(^stages\.3\.downsample\.)", "features.6."},
                                  {R"(^head\.norm)", "classifier.0"}};
const test::Renaming kTorchvisionStages{{R"(^stages\.0\.blocks)", "features.1"},
                                        {R"(^stages\.1\.blocks)", "features.3"},
                                        {R"(^stages\.2\.blocks)", "features.5"},
                                        {R"(^stages\.3\.blocks)", "features.7"}};
const test::Renaming kTorchvisionBlock{{R"(conv_dw)", "block.0"},
                                       {R"((features\.\d\.\d)\.norm)", "$1.block.2"},
                                       {R"(mlp\.fc1)", "block.3"},
                                       {R"(mlp\.fc2)", "block.5"},
                                       {R"(gamma)", "layer_scale"}};
const test::Renaming kFacebook{{R"(^stem)", "downsample_layers.0"},
                               {R"(^stages\.(\d)\.downsample)", "downsample_layers.$1"},
                               {R"(^stages\.(\d)\.blocks\.(\d)\.conv_dw)", "stages.$1.$2.dwconv"},
                               {R"(^stages\.(\d)\.blocks\.(\d)\.mlp\.fc(\d))", "stages.$1.$2.pwconv$3"},
                               {R"(^stages\.(\d)\.blocks\.(\d)\.mlp\.grn\.weight)", "stages.$1.$2.grn.gamma"},
                               {R"(^stages\.(\d)\.blocks\.(\d)\.mlp\.grn\.bias)", "stages.$1.$2.grn.beta"},
                               {R"(^stages\.(\d)\.blocks\.)", "stages.$1."},
                               {R"(^head\.norm)", "norm"}};
const test::Renaming kTransformers{
    {R"(^stem\.0)", "embeddings.patch_embeddings"},
    {R"(^stem\.1)", "embeddings.layernorm"},
    {R"(^stages\.(\d)\.downsample)", "encoder.stages.$1.downsampling_layer"},
    {R"(^stages\.(\d)\.blocks\.(\d)\.conv_dw)", "encoder.stages.$1.layers.$2.dwconv"},
    {R"(^stages\.(\d)\.blocks\.(\d)\.norm)", "encoder.stages.$1.layers.$2.layernorm"},
    {R"(^stages\.(\d)\.blocks\.(\d)\.mlp\.fc(\d))", "encoder.stages.$1.layers.$2.pwconv$3"},
    {R"(^stages\.(\d)\.blocks\.(\d)\.mlp\.grn)", "encoder.stages.$1.layers.$2.grn"},
    {R"(^stages\.(\d)\.blocks\.(\d)\.gamma)", "encoder.stages.$1.layers.$2.layer_scale_parameter"},
    {R"(^head\.norm)", "layernorm"}};
const test::Renaming kTransformersDino{
    {R"(^stem)", "stages.0.downsample_layers"},
    {R"(^stages\.(\d)\.downsample)", "stages.$1.downsample_layers"},
    {R"(^stages\.(\d)\.blocks\.(\d)\.conv_dw)", "stages.$1.layers.$2.depthwise_conv"},
    {R"(^stages\.(\d)\.blocks\.(\d)\.norm)", "stages.$1.layers.$2.layer_norm"},
    {R"(^stages\.(\d)\.blocks\.(\d)\.mlp\.fc(\d))", "stages.$1.layers.$2.pointwise_conv$3"},
    {R"(^stages\.(\d)\.blocks)", "stages.$1.layers"},
    {R"(^head\.norm)", "layer_norm"}};
const test::Renaming kOpenClip{{R"(^(stem|stages|head\.norm))", "trunk.$1"}};

ConvNextSpec small_spec(bool second = false) {
  ConvNextSpec spec;
  spec.depths = {1, 2, 1, 1};
  spec.dims = {2, 3, 4, 5};
  spec.response_norm = second;
  return spec;
}

struct Drawn {
  Tensors tensors;
  std::string hash;
};
Drawn draw(const ConvNextSpec& spec) {
  test::Recorder recorder;
  const std::string hash = parameters_hash(build_convnext(spec, recorder));
  return {recorder.tensors, hash};
}

Tensors torchvision_file(const Tensors& tensors) {
  Tensors file = test::renamed(test::renamed(tensors, kTorchvision), kTorchvisionStages);
  file = test::reshaped(test::renamed(file, kTorchvisionBlock), "layer_scale", test::with_two_after);
  file.push_back(test::constant("classifier.2.weight", {10, 5}));
  return file;
}

Tensors facebook_file(const Tensors& tensors) {
  Tensors file = test::renamed(tensors, kFacebook, "model.");
  for (const char* leaf : {".grn.gamma", ".grn.beta"}) file = test::reshaped(file, leaf, test::with_three_before);
  file.push_back(test::constant("model.head.weight", {10, 5}));
  return file;
}

Tensors dinov3_file(const Tensors& tensors) {
  Tensors file = test::renamed(tensors, kFacebook);
  for (std::size_t i = 0, count = file.size(); i < count; ++i)
    if (file[i].name.starts_with("norm.")) file.push_back({"norms.3" + file[i].name.substr(4), "", file[i].tensor});
  return file;
}

Tensors timm_file(Tensors tensors, bool convolutions) {
  if (convolutions)
    for (const char* leaf : {"mlp.fc1.weight", "mlp.fc2.weight"})
      tensors = test::reshaped(std::move(tensors), leaf, test::with_two_after);
  tensors.push_back(test::constant("head.fc.weight", {10, 5}));
  return tensors;
}

Tensors transformers_file(const Tensors& tensors) {
  Tensors file = test::renamed(tensors, kTransformers, "convnext.");
  for (const char* leaf : {".grn.weight", ".grn.bias"}) file = test::reshaped(file, leaf, test::with_three_before);
  file.push_back(test::constant("classifier.weight", {10, 5}));
  return file;
}

Tensors open_clip_file(const Tensors& tensors) {
  Tensors file = test::renamed(tensors, kOpenClip, "visual.");
  file.push_back(test::constant("transformer.resblocks.0.ln_1.weight", {4}));
  file.push_back(test::constant("text_projection", {4, 6}));
  file.push_back(test::constant("logit_scale", {}));
  return file;
}

const Facts kAct = test::facts_of({{"act", "exact"}, {"eps", "1e-6"}});
const Facts kFinal = test::facts_of({{"final-eps", "1e-12"}});

void expect_loads(Tensors file, const Facts& facts, const std::string& layout, const std::string& hash,
                  const std::string& name = "convnext-2x1-3x2-4x1-5x1") {
  LoadReport report;
  const Network network = test::load_from(std::move(file), facts, &report);
  EXPECT_EQ(report.layout, layout);
  EXPECT_EQ(network.architecture, name) << layout;
  EXPECT_EQ(parameters_hash(network), hash) << layout;
}

TEST(ConvNext, IsTheSameNetworkInEveryLayout) {
  const auto [tensors, hash] = draw(small_spec());
  expect_loads(torchvision_file(tensors), {}, "torchvision", hash);
  expect_loads(facebook_file(tensors), {}, "facebook", hash);
  expect_loads(dinov3_file(tensors), {}, "facebook", hash);
  expect_loads(timm_file(tensors, false), kAct, "timm", hash);
  expect_loads(timm_file(tensors, true), kAct, "timm", hash);
  expect_loads(transformers_file(tensors), kFinal, "transformers", hash);
  expect_loads(test::renamed(tensors, kTransformersDino), {}, "transformers-dinov3", hash);
}

TEST(ConvNext, OfTheSecondVersionIsTheSameNetworkInEveryLayout) {
  const auto [tensors, hash] = draw(small_spec(true));
  const std::string name = "convnextv2-2x1-3x2-4x1-5x1";
  expect_loads(facebook_file(tensors), {}, "facebook", hash, name);
  expect_loads(timm_file(tensors, false), kAct, "timm", hash, name);
  expect_loads(timm_file(tensors, true), kAct, "timm", hash, name);
  expect_loads(transformers_file(tensors), kFinal, "transformers", hash, name);
}

TEST(ConvNext, OfOpenClipHasItsProjectionAndDropsTheTextTower) {
  for (const bool mlp : {false, true}) {
    ConvNextSpec spec = small_spec();
    spec.projection = mlp ? Projection::mlp : Projection::linear;
    spec.embedding = 6;
    const auto [tensors, hash] = draw(spec);
    LoadReport report;
    const Network network = test::load_from(open_clip_file(tensors), kAct, &report);
    EXPECT_EQ(parameters_hash(network), hash);
    EXPECT_EQ(report.prefix, "visual.");
    ASSERT_EQ(report.dropped.size(), 1U);
    EXPECT_EQ(report.dropped[0].rule, "CLIP's text encoder");
    EXPECT_EQ(network.architecture, mlp ? "clip-convnext-2x1-3x2-4x1-5x1-6-mlp" : "clip-convnext-2x1-3x2-4x1-5x1-6");
    EXPECT_EQ(test::layers_text(network), "stage1 2, stage2 3, stage3 4, stage4 5, pre 5 vector, post 6 vector");
    EXPECT_EQ(network.default_layer, "post");
  }
}

TEST(ConvNext, IsReadStrictlyInEveryLayout) {
  const auto [tensors, hash] = draw(small_spec());
  test::expect_strict(torchvision_file(tensors), "features.3.1.block.3.weight");
  test::expect_strict(torchvision_file(tensors), "features.7.0.block.0.weight");
  test::expect_strict(facebook_file(tensors), "model.stages.1.1.pwconv1.weight");
  test::expect_strict(dinov3_file(tensors), "downsample_layers.2.1.weight");
  test::expect_strict(timm_file(tensors, false), "stages.1.blocks.1.gamma", kAct);
  test::expect_strict(timm_file(tensors, true), "stages.3.blocks.0.norm.weight", kAct);
  test::expect_strict(transformers_file(tensors), "convnext.encoder.stages.1.layers.0.layer_scale_parameter", kFinal);
  test::expect_strict(test::renamed(tensors, kTransformersDino), "stages.2.downsample_layers.0.bias");
  const auto [second, other_hash] = draw(small_spec(true));
  test::expect_strict(facebook_file(second), "model.stages.1.1.grn.beta");
  ConvNextSpec spec = small_spec();
  spec.projection = Projection::linear;
  spec.embedding = 6;
  test::expect_strict(open_clip_file(draw(spec).tensors), "visual.trunk.stages.2.blocks.0.conv_dw.bias", kAct);
}

TEST(ConvNext, RefusesASecondNormOfOtherValues) {
  Tensors file = dinov3_file(draw(small_spec()).tensors);
  for (NamedTensor& tensor : file)
    if (tensor.name == "norms.3.bias") tensor = test::constant("norms.3.bias", {5});
  EXPECT_NE(test::refusal(file).find("norms.3.bias is not norm.bias"), std::string::npos);
}

TEST(ConvNext, OfOpenClipRefusesHeadsThatAreNoProjection) {
  ConvNextSpec spec = small_spec();
  spec.projection = Projection::linear;
  spec.embedding = 6;
  Tensors file = open_clip_file(draw(spec).tensors);
  file.push_back(test::constant("visual.head.pool.qkv.weight", {15, 5}));
  EXPECT_NE(test::refusal(file, kAct).find("visual.head.pool.qkv.weight is of a head"), std::string::npos);
}

TEST(ConvNext, WithoutAStageIsRefused) {
  Tensors file = timm_file(draw(small_spec()).tensors, false);
  std::erase_if(file, [](const NamedTensor& tensor) { return tensor.name.starts_with("stages.3."); });
  EXPECT_NE(test::refusal(file, kAct).find("has no stage 4"), std::string::npos);
}

// timm's code decides by the model's name, so its keys tell nothing of networks that it doesn't name.
TEST(ConvNext, OfUnknownSizesInTimmsLayoutIsAskedAbout) {
  const Tensors file = timm_file(draw(small_spec()).tensors, false);
  EXPECT_NE(test::refusal(file).find("which GELU"), std::string::npos);
  EXPECT_NE(test::refusal(file, test::facts_of({{"act", "exact"}})).find("epsilon"), std::string::npos);
}

TEST(ConvNext, OfPublishedSizesIsKnownInTimmsLayout) {
  const Network atto = test::load_from(timm_file(draw(convnext_spec("convnext-atto")).tensors, true));
  EXPECT_EQ(atto.architecture, "convnext-atto");
  EXPECT_EQ(test::layers_text(atto), "stage1 40, stage2 80, stage3 160, stage4 320, final 320 vector");
  EXPECT_EQ(atto.default_layer, "final");
  EXPECT_EQ(test::epsilons(atto), std::vector{1e-6});
  const std::string source = "the key layout (timm's code)";
  EXPECT_EQ(atto.facts, (std::vector<Fact>{{"act", "exact", source}, {"eps", "1e-6", source}}));
  EXPECT_EQ(convnext_spec("convnext-xxl").eps, 1e-5);
}

TEST(ConvNext, OfTransformersAsksForTheLastNormsEpsilon) {
  const Tensors file = transformers_file(draw(small_spec()).tensors);
  EXPECT_NE(test::refusal(file).find("last layer norm"), std::string::npos);
  EXPECT_EQ(test::epsilons(test::load_from(file, kFinal)), (std::vector{1e-6, 1e-12}));
}

TEST(ConvNext, TakesTheUsersWordOverTheLayouts) {
  const Tensors file = torchvision_file(draw(small_spec()).tensors);
  const Network network = test::load_from(file, test::facts_of({{"eps", "1e-5"}, {"act", "tanh"}}));
  EXPECT_EQ(test::epsilons(network), std::vector{1e-5});
  EXPECT_TRUE(std::ranges::any_of(network.ops, [](const Op& op) {
    return op.as<Activate>() && op.as<Activate>()->function == Activation::gelu_tanh;
  }));
  EXPECT_EQ(network.facts[1].source, "the user, against the key layout (torchvision's code): 1e-6");
}

// torchvision's own counts (num_params of its weights), without the classifier of 1000 classes.
TEST(ConvNext, HasAsManyParametersAsTorchvisions) {
  const auto count = [](const char* name) {
    NoWeights none;
    return parameter_count(build_convnext(convnext_spec(name), none));
  };
  EXPECT_EQ(count("convnext-t"), 28589128U - 769000);
  EXPECT_EQ(count("convnext-s"), 50223688U - 769000);
  EXPECT_EQ(count("convnext-b"), 88591464U - 1025000);
  EXPECT_EQ(count("convnext-l"), 197767336U - 1537000);
}

TEST(ConvNext, HasAnOutlineForEveryName) {
  for (const ConvNextSpec& spec : convnext_specs()) EXPECT_EQ(outline_of(spec.name).architecture, spec.name);
  EXPECT_THROW(convnext_spec("convnext-tiny"), Error);
}

// Maps of 26, 13, 6 and 3 places a side.
TEST(ConvNext, GivesAnImageTheSameFeaturesAtEveryPlaceOfABatch) {
  for (const Precision precision : {Precision::fp32, Precision::bf16})
    test::expect_same_at_every_place(random_network("convnext-atto", 0), 104, precision);
}

}  // namespace
}  // namespace vise::networks
