#include "extract/networks/resnet.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "extract/networks/clip_resnet.h"
#include "tests/unit/extract/networks/networks.h"

namespace vise {
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
  const ResNet net = empty_resnet(resnet_spec(published.name));
  std::uint64_t parameters = 0;
  std::size_t keys = 0;
  for (const ConvBn* conv : convolutions(net)) {
    parameters += static_cast<std::uint64_t>(conv->out) *
                  static_cast<std::uint64_t>(conv->in / conv->groups * conv->kernel * conv->kernel + 2);
    keys += 6;
  }
  EXPECT_EQ(keys, published.keys);
  EXPECT_EQ(parameters, published.parameters);
  EXPECT_EQ(net.dim(), published.dim);
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

TEST(ResNet, StridesInThe3x3ConvolutionAsTorchvisionDoes) {
  const ResNet net = empty_resnet(resnet_spec("resnet50"));
  const Block& block = net.stages[1][0];
  EXPECT_EQ(block.convs[0].stride, 1);
  EXPECT_EQ(block.convs[1].stride, 2);
  ASSERT_TRUE(block.shortcut.has_value());
  EXPECT_EQ(block.shortcut->stride, 2);
  EXPECT_EQ(block.shortcut->name, "layer2.0.downsample.0");
  EXPECT_FALSE(empty_resnet(resnet_spec("resnet18")).stages[0][0].shortcut.has_value());
}

TEST(RandomResNet, IsTheSameForASeedAndAnotherForAnother) {
  const std::string zero = random_resnet("resnet18", 0).parameters_hash();
  EXPECT_EQ(zero, random_resnet("resnet18", 0).parameters_hash());
  EXPECT_NE(zero, random_resnet("resnet18", 1).parameters_hash());
}

// torchvision: nn.init.kaiming_normal_(weight, mode="fan_out", nonlinearity="relu"): variance 2 / (out x kernel^2).
TEST(RandomResNet, HasHesVariance) {
  const ResNet net = random_resnet("resnet18", 0);
  const ConvBn& conv = net.stages[3][1].convs[1];
  double square = 0;
  for (const float w : conv.weight) square += static_cast<double>(w) * static_cast<double>(w);
  EXPECT_NEAR(square / static_cast<double>(conv.weight.size()), 2.0 / (512 * 9), 2.0 / (512 * 9) * 0.01);
  EXPECT_EQ(conv.gamma, std::vector<float>(512, 1.0F));
  EXPECT_EQ(conv.variance, std::vector<float>(512, 1.0F));
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
}  // namespace vise
