#include "extract/networks/families/resnet/resnet.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "extract/networks/family_registry.h"
#include "tests/unit/extract/networks/networks.h"

namespace vise::networks {
namespace {

// Keys of torchvision 0.14.1's state dicts without fc, and parameters without fc: len(m.state_dict()) - 2 and
// sum(p.numel() for p in m.parameters()) - fc's, asked of torchvision.
struct Published {
  const char* name;
  std::size_t keys;
  std::uint64_t parameters;
  int dim;
};

class Architectures : public testing::TestWithParam<Published> {};

TEST_P(Architectures, HaveTorchvisionsKeysAndParameters) {
  const Published& published = GetParam();
  const Network net = test::shape_of(published.name);
  EXPECT_EQ(test::trunk_tensors(net).size(), published.keys);
  EXPECT_EQ(parameter_count(net), published.parameters);
  EXPECT_EQ(outline(net).layer("layer4").channels, published.dim);
}

INSTANTIATE_TEST_SUITE_P(
    All, Architectures,
    testing::Values(Published{"resnet18", 120, 11176512U, 512}, Published{"resnet34", 216, 21284672U, 512},
                    Published{"resnet50", 318, 23508032U, 2048}, Published{"resnet101", 624, 42500160U, 2048},
                    Published{"resnet152", 930, 58143808U, 2048}, Published{"resnext50_32x4d", 318, 22979904U, 2048},
                    Published{"resnext101_32x8d", 624, 86742336U, 2048},
                    Published{"wide_resnet50_2", 318, 66834240U, 2048},
                    Published{"wide_resnet101_2", 624, 124837696U, 2048}),
    [](const auto& i) { return std::string(i.param.name); });

const Op* find_op(const Network& net, const std::string& name) {
  for (const Op& op : net.ops)
    if (op.name == name) return &op;
  return nullptr;
}

TEST(ResNet, StridesInThe3x3ConvolutionAsTorchvisionDoes) {
  const Network net = test::shape_of("resnet50");
  const auto stride = [&](const std::string& name) { return find_op(net, name)->as<Convolution>()->stride; };
  EXPECT_EQ(stride("layer2.0.conv1"), 1);
  EXPECT_EQ(stride("layer2.0.conv2"), 2);
  EXPECT_EQ(stride("layer2.0.downsample.0"), 2);
  EXPECT_EQ(find_op(test::shape_of("resnet18"), "layer1.0.downsample.0"), nullptr);
}

TEST(RandomResNet, IsTheSameForASeedAndAnotherForAnother) {
  const std::string zero = parameters_hash(random_network("resnet18", 0));
  EXPECT_EQ(zero, parameters_hash(random_network("resnet18", 0)));
  EXPECT_NE(zero, parameters_hash(random_network("resnet18", 1)));
}

// torchvision: nn.init.kaiming_normal_(weight, mode="fan_out", nonlinearity="relu"): variance 2 / (out x kernel^2).
TEST(RandomResNet, HasHesVariance) {
  const Network net = random_network("resnet18", 0);
  const std::span<const float> weight = find_op(net, "layer4.1.conv2")->as<Convolution>()->weight.values();
  double square = 0;
  for (const float w : weight) square += static_cast<double>(w) * static_cast<double>(w);
  EXPECT_NEAR(square / static_cast<double>(weight.size()), 2.0 / (512 * 9), 2.0 / (512 * 9) * 0.01);
  const BatchNorm& norm = *find_op(net, "layer4.1.bn2")->as<BatchNorm>();
  for (const auto* ones : {&norm.gamma, &norm.variance})
    EXPECT_EQ(std::vector<float>(ones->values().begin(), ones->values().end()), std::vector<float>(512, 1.0F));
}

TEST(ResNetSpec, SuggestsTheNearestName) {
  try {
    resnet_spec("resnet05");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::usage);
    EXPECT_NE(e.hint().find("'resnet50'"), std::string::npos) << e.hint();
  }
}

}  // namespace
}  // namespace vise::networks
