// ONNX and Caffe graphs on OpenCV, against PyTorch's own modules in Python (graphs_oracle.py): torchvision's networks
// as torch.onnx.export writes them, and two of Caffe's. Skipped where Debian's python3-torchvision or the OpenCV module
// isn't there.
#include <optional>

#include "extract/networks/load.h"
#include "extract/networks/make_trunk.h"
#include "extract/networks/trunk.h"
#include "tests/golden/checkpoint/oracle.h"
#include "tests/opencv_module.h"

namespace vise {
namespace {

using test::floats_of;
using test::relative_error;

constexpr int kSide = 96;

struct Graph {
  std::string name, features = "features", map = "map";
  bool is_caffe = false;
};

void PrintTo(const Graph& graph, std::ostream* out) { *out << graph.name; }

class GraphOracle : public testing::TestWithParam<Graph> {
 protected:
  void SetUp() override {
    if (!test::have_opencv()) GTEST_SKIP() << "skipped: built without OpenCV";
    folder_ = test::oracle_folder("graphs_oracle.py", "torchvision");
    if (!folder_) GTEST_SKIP() << "skipped: python3-torchvision not found";
  }

  Path file(const std::string& ending) const { return *folder_ / (GetParam().name + ending); }

  networks::Network network() const {
    networks::NetworkRequest request;
    if (GetParam().is_caffe) request.prototxt = file(".prototxt");
    return networks::load_network(file(GetParam().is_caffe ? ".caffemodel" : ".onnx"), request);
  }

  // Of the oracle's two pictures, with a third of zeros behind them.
  std::vector<std::vector<float>> maps_of(const networks::Network& network,
                                          const std::vector<std::string>& layers) const {
    const auto first =
        networks::make_trunk(network, {networks::Engine::opencv, networks::Precision::fp32, layers, 3, kSide});
    const auto trunk = first->replicate();
    const std::vector<float> input = floats_of(*folder_ / fmt_side());
    std::copy(input.begin(), input.end(), trunk->input().begin());
    const std::string before = trunk->state_hash();
    trunk->forward();
    EXPECT_EQ(trunk->state_hash(), before);
    std::vector<std::vector<float>> maps;
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const networks::FeatureMaps seen = trunk->maps(i);
      const auto image = static_cast<std::size_t>(seen.height) * seen.width * seen.channels;
      EXPECT_EQ(seen.values.size(), image * 3);
      EXPECT_EQ(seen.channels, networks::outline(network).layer(layers[i]).channels);
      maps.emplace_back(seen.values.begin(), seen.values.begin() + static_cast<std::ptrdiff_t>(image * 2));
    }
    return maps;
  }

 private:
  static std::string fmt_side() { return std::to_string(kSide) + ".bin"; }
  std::optional<Path> folder_;
};

TEST_P(GraphOracle, GivesWhatPyTorchGives) {
  const networks::Network graph = network();
  EXPECT_EQ(graph.architecture, GetParam().is_caffe ? "caffe" : "onnx");
  EXPECT_EQ(graph.default_layer, GetParam().features);
  EXPECT_FALSE(graph.any_side);
  EXPECT_EQ(graph.side, kSide);
  const auto maps = maps_of(graph, {GetParam().map, GetParam().features});
  EXPECT_LE(relative_error(maps[0], floats_of(file(".map.bin"))), 1e-5);
  EXPECT_LE(relative_error(maps[1], floats_of(file(".features.bin"))), 1e-5);
}

TEST_P(GraphOracle, GivesTheSameWhateverElseIsTapped) {
  const networks::Network graph = network();
  const auto both = maps_of(graph, {GetParam().map, GetParam().features});
  EXPECT_EQ(maps_of(graph, {GetParam().features})[0], both[1]);
  EXPECT_EQ(maps_of(graph, {GetParam().map})[0], both[0]);
}

INSTANTIATE_TEST_SUITE_P(Networks, GraphOracle,
                         testing::Values(Graph{"resnet18"}, Graph{"squeezenet1_1"}, Graph{"mobilenet_v2"},
                                         Graph{"mnasnet0_5"}, Graph{"densenet121"}, Graph{"regnet_y_400mf"},
                                         Graph{"efficientnet_b0"}, Graph{"vgg11_bn"},
                                         Graph{"plain", "drop6", "pool2", true}, Graph{"blocks", "pool", "relu", true}),
                         [](const auto& graph) { return graph.param.name; });

}  // namespace
}  // namespace vise
