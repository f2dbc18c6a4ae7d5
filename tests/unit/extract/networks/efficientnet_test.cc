#include "extract/networks/families/efficientnet/efficientnet.h"
#include "extract/networks/family_registry.h"
#include "extract/networks/make_trunk.h"

#include "tests/unit/extract/networks/family_files.h"

namespace vise::networks {
namespace {

using Tensors = std::vector<NamedTensor>;

// torchvision numbers a block's layers: widening, depthwise, gate, narrowing; the first stage's has no widening.
const test::Renaming kTorchvision{
    {R"(^conv_stem)", "features.0.0"},  {R"(^bn1)", "features.0.1"},        {R"(^conv_head)", "features.8.0"},
    {R"(^bn2)", "features.8.1"},        {R"(^blocks\.0\.)", "features.1."}, {R"(^blocks\.1\.)", "features.2."},
    {R"(^blocks\.2\.)", "features.3."}, {R"(^blocks\.3\.)", "features.4."}, {R"(^blocks\.4\.)", "features.5."},
    {R"(^blocks\.5\.)", "features.6."}, {R"(^blocks\.6\.)", "features.7."}};
const test::Renaming kTorchvisionBlock{{R"(^(features\.1\.\d)\.conv_dw)", "$1.block.0.0"},
                                       {R"(^(features\.1\.\d)\.bn1)", "$1.block.0.1"},
                                       {R"(^(features\.1\.\d)\.se\.conv_reduce)", "$1.block.1.fc1"},
                                       {R"(^(features\.1\.\d)\.se\.conv_expand)", "$1.block.1.fc2"},
                                       {R"(^(features\.1\.\d)\.conv_pw)", "$1.block.2.0"},
                                       {R"(^(features\.1\.\d)\.bn2)", "$1.block.2.1"},
                                       {R"(^(features\.\d\.\d)\.conv_pwl)", "$1.block.3.0"},
                                       {R"(^(features\.\d\.\d)\.bn3)", "$1.block.3.1"},
                                       {R"(^(features\.\d\.\d)\.conv_pw)", "$1.block.0.0"},
                                       {R"(^(features\.\d\.\d)\.bn1)", "$1.block.0.1"},
                                       {R"(^(features\.\d\.\d)\.conv_dw)", "$1.block.1.0"},
                                       {R"(^(features\.\d\.\d)\.bn2)", "$1.block.1.1"},
                                       {R"(^(features\.\d\.\d)\.se\.conv_reduce)", "$1.block.2.fc1"},
                                       {R"(^(features\.\d\.\d)\.se\.conv_expand)", "$1.block.2.fc2"}};

EfficientNetSpec small_spec() {
  EfficientNetSpec spec;
  spec.name = "efficientnet-5-4x2-3x1-4x2-5x1-6x1-7x1-8x1-9";
  spec.depths = {2, 1, 2, 1, 1, 1, 1};
  spec.dims = {4, 3, 4, 5, 6, 7, 8};
  spec.stem = 5;
  spec.head = 9;
  return spec;
}

struct Drawn {
  Tensors tensors;
  std::string hash;
};
Drawn draw(const EfficientNetSpec& spec) {
  test::Recorder recorder;
  const std::string hash = parameters_hash(build_efficientnet(spec, recorder));
  return {recorder.tensors, hash};
}

Tensors timm_file(Tensors tensors) {
  for (const char* leaf : {"conv_reduce.weight", "conv_expand.weight"})
    tensors = test::reshaped(std::move(tensors), leaf, test::with_two_after);
  for (std::size_t i = 0, count = tensors.size(); i < count; ++i)
    if (const std::string& name = tensors[i].name; name.ends_with("running_var"))
      tensors.push_back(test::tracked(name.substr(0, name.size() - 11) + "num_batches_tracked"));
  tensors.push_back(test::constant("classifier.weight", {10, 9}));
  return tensors;
}

Tensors torchvision_file(const Tensors& tensors) {
  return test::renamed(test::renamed(timm_file(tensors), kTorchvision), kTorchvisionBlock);
}

const Facts kEps = test::facts_of({{"eps", "1e-5"}});

TEST(EfficientNet, IsTheSameNetworkInEveryLayout) {
  const auto [tensors, hash] = draw(small_spec());
  for (const auto& [layout, file] :
       {std::pair{"torchvision", torchvision_file(tensors)}, {"timm", timm_file(tensors)}}) {
    LoadReport report;
    const Network network = test::load_from(file, kEps, &report);
    EXPECT_EQ(report.layout, layout);
    EXPECT_EQ(network.architecture, small_spec().name) << layout;
    EXPECT_EQ(parameters_hash(network), hash) << layout;
  }
}

TEST(EfficientNet, IsReadStrictlyInEveryLayout) {
  const auto [tensors, hash] = draw(small_spec());
  test::expect_strict(torchvision_file(tensors), "features.1.1.block.1.fc1.bias", kEps);
  test::expect_strict(torchvision_file(tensors), "features.3.1.block.3.0.weight", kEps);
  test::expect_strict(timm_file(tensors), "blocks.2.1.se.conv_expand.weight", kEps);
  test::expect_strict(timm_file(tensors), "blocks.0.0.conv_pw.weight", kEps);
  Tensors file = timm_file(tensors);
  for (NamedTensor& tensor : file)
    if (tensor.name == "bn2.running_var") tensor = test::constant(tensor.name, tensor.tensor.shape, -1);
  EXPECT_NE(test::refusal(file, kEps).find("bn2.running_var is a variance"), std::string::npos);
}

TEST(EfficientNet, WithoutAStageIsRefused) {
  Tensors file = timm_file(draw(small_spec()).tensors);
  std::erase_if(file, [](const NamedTensor& tensor) { return tensor.name.starts_with("blocks.6."); });
  EXPECT_NE(test::refusal(file, kEps).find("has no stage 7"), std::string::npos);
}

// timm's files of TensorFlow's weights have the same keys and shapes as its own.
TEST(EfficientNet, InTimmsLayoutIsAskedAbout) {
  const Tensors file = timm_file(draw(efficientnet_spec("efficientnet-b0")).tensors);
  EXPECT_NE(test::refusal(file).find("epsilon"), std::string::npos);
  EXPECT_NE(test::refusal(file, test::facts_of({{"eps", "0.001"}})).find("TensorFlow"), std::string::npos);
  const Network network = test::load_from(file, kEps);
  EXPECT_EQ(network.architecture, "efficientnet-b0");
  EXPECT_EQ(test::layers_text(network), "stage1 24, stage2 40, stage3 112, stage4 320, final 1280");
  EXPECT_EQ(test::epsilons(network), std::vector{1e-5});
}

TEST(EfficientNet, InTorchvisionsLayoutIsKnownByItsSizes) {
  const Network network = test::load_from(torchvision_file(draw(efficientnet_spec("efficientnet-b0")).tensors));
  const std::string source = "the key layout (torchvision's code)";
  EXPECT_EQ(network.facts, (std::vector<Fact>{{"act", "silu", source}, {"eps", "1e-5", source}}));
  EXPECT_NE(test::refusal(torchvision_file(draw(small_spec()).tensors)).find("epsilon"), std::string::npos);
  EXPECT_EQ(efficientnet_spec("efficientnet-b4").eps, 1e-5);
  EXPECT_EQ(efficientnet_spec("efficientnet-b5").eps, 1e-3);
}

// The maps of the paper's table 1 at 224: 56, 28, 14 and 7 places a side.
TEST(EfficientNet, HasAStageForEachSizeOfItsMaps) {
  NoWeights none;
  const Network network = build_efficientnet(efficientnet_spec("efficientnet-b0"), none);
  const std::vector<ValueShape> shapes = value_shapes(network, 224);
  std::vector<int> sides;
  for (const Layer& layer : network.layers) sides.push_back(shapes[static_cast<std::size_t>(layer.value)].height);
  EXPECT_EQ(sides, (std::vector{56, 28, 14, 7, 7}));
}

// Drawn as dense ones, its depthwise convolutions would leave numbers of 1e-12 and SiLUs that are all linear.
TEST(EfficientNet, OfRandomWeightsKeepsItsFeaturesAlive) {
  const auto trunk = make_trunk(random_network("efficientnet-b0", 0), {.layers = {"final"}, .batch = 1, .side = 64});
  RandomStream stream("picture", 0);
  for (float& value : trunk->input()) value = static_cast<float>(4 * stream.uniform() - 2);
  trunk->forward();
  double norm = 0;
  for (const float value : trunk->maps(0).values) norm += static_cast<double>(value) * value;
  EXPECT_GT(std::sqrt(norm), 1e-5);
}

// torchvision's own counts (num_params of its weights), without the classifier of 1000 classes.
TEST(EfficientNet, HasAsManyParametersAsTorchvisions) {
  const std::uint64_t counts[]{5288548, 7794184, 9109994, 12233232, 19341616, 30389784, 43040704, 66347960};
  for (std::size_t i = 0; i < 8; ++i) {
    const EfficientNetSpec& spec = efficientnet_specs()[i];
    NoWeights none;
    EXPECT_EQ(parameter_count(build_efficientnet(spec, none)),
              counts[i] - 1000 * (static_cast<std::uint64_t>(spec.head) + 1))
        << spec.name;
    EXPECT_EQ(outline_of(spec.name).side, spec.side);
  }
  EXPECT_THROW(efficientnet_spec("efficientnet-b8"), Error);
}

// Maps of 38, 19, 10, 5 and 3 places a side.
TEST(EfficientNet, GivesAnImageTheSameFeaturesAtEveryPlaceOfABatch) {
  for (const Precision precision : {Precision::fp32, Precision::bf16})
    test::expect_same_at_every_place(random_network("efficientnet-b0", 0), 75, precision);
}

}  // namespace
}  // namespace vise::networks
