// EfficientNet-B0, Swin-S, ConvNeXt-T and ResNet-50 against torchvision itself in Python (torchvision_oracle.py), on
// both engines and at sizes that divide nothing. Skipped where Debian's python3-torchvision isn't there; LibTorch's
// half is skipped where its module isn't.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/module.h"
#include "extract/networks/load.h"
#include "extract/networks/make_trunk.h"
#include "extract/networks/pooling.h"
#include "tests/golden/checkpoint/oracle.h"

namespace vise {
namespace {

bool have_torch() {
  try {
    Module::torch();
    return true;
  } catch (const Error&) {
    return false;
  }
}

class TorchvisionOracle : public testing::TestWithParam<networks::Engine> {
 protected:
  void SetUp() override {
    folder_ = test::oracle_folder("torchvision_oracle.py", "torchvision");
    if (!folder_) GTEST_SKIP() << "skipped: python3-torchvision not found";
    if (GetParam() == networks::Engine::torch && !have_torch()) GTEST_SKIP() << "skipped: built without LibTorch";
  }

  // A rounding a layer leaves 2e-7 of Swin-S and ConvNeXt-T, and 3e-6 of EfficientNet-B0, whose gates and batch norms
  // multiply it; a wrong epsilon, padding or order of places changes more than 1e-4.
  void expect_agreement(const std::string& file, const std::string& architecture, const std::vector<int>& sides,
                        const networks::LoadRequest& request = {},
                        std::vector<std::string> layers = {"stage2", "final"}, double tolerance = 1e-5) const {
    const networks::Network network = networks::load_network(*folder_ / (file + ".pth"), {.load = request});
    EXPECT_EQ(network.architecture, architecture);
    for (const int side : sides) {
      const auto trunk =
          networks::make_trunk(network, {.engine = GetParam(), .layers = layers, .batch = 2, .side = side});
      const std::vector<float> input = test::floats_of(*folder_ / (std::to_string(side) + ".bin"));
      ASSERT_EQ(trunk->input().size(), input.size());
      std::copy(input.begin(), input.end(), trunk->input().begin());
      trunk->forward();
      const std::string name = file + "." + std::to_string(side);
      const std::vector<float> map = test::floats_of(*folder_ / (name + ".stage2.bin"));
      ASSERT_EQ(trunk->maps(0).values.size(), map.size()) << name;
      EXPECT_LE(test::relative_error(trunk->maps(0).values, map), tolerance) << name;
      const std::vector<float> rows = test::floats_of(*folder_ / (name + ".final.bin"));
      std::vector<float> ours(rows.size());
      const networks::FeatureMaps final = trunk->maps(1);
      networks::Pooling::parse("avg")(std::span(&final, 1), ours);
      EXPECT_LE(test::relative_error(ours, rows), tolerance) << name;
    }
  }

 private:
  std::optional<Path> folder_;
};

TEST_P(TorchvisionOracle, AgreesWithEfficientNet) {
  expect_agreement("efficientnet_b0", "efficientnet-b0", {224, 193});
}
TEST_P(TorchvisionOracle, AgreesWithSwin) { expect_agreement("swin_s", "swin-s", {224, 202}); }
TEST_P(TorchvisionOracle, AgreesWithConvNeXt) { expect_agreement("convnext_tiny", "convnext-t", {224, 202}); }

// One file fits four networks; torchvision's is taken, and that is said, unless another is asked for. Random batch
// norms in 16 blocks leave 1.5e-5 of roundings on LibTorch, too; the networks differ from each other by a tenth and
// more.
TEST_P(TorchvisionOracle, AgreesWithEachResNetOfTheSameTensors) {
  const std::vector<std::string> layers{"layer2", "layer4"};
  expect_agreement("resnet50", "resnet50", {97}, {}, layers, 5e-5);
  expect_agreement("resnet50_caffe", "resnet50-caffe", {97}, {.architecture = "resnet50-caffe"}, layers, 5e-5);
  for (const char* stride : {"8", "16"}) {
    networks::LoadRequest request;
    request.facts.say("dilated", stride, "the user");
    expect_agreement(fmt::format("resnet50_dilated{}", stride), "resnet50", {97}, request, layers, 5e-5);
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, TorchvisionOracle, testing::Values(networks::Engine::onednn, networks::Engine::torch),
                         [](const auto& engine) { return std::string(networks::engine_name(engine.param)); });

}  // namespace
}  // namespace vise
