// CLIP's RN50 and TorchScript graphs on LibTorch, against PyTorch's own modules in Python (clip_oracle.py): an oracle
// that shares no line with this program. Skipped where Debian's python3-torch or the LibTorch module isn't there.
#include <optional>

#include "base/error.h"
#include "base/module.h"
#include "extract/networks/load.h"
#include "extract/networks/make_trunk.h"
#include "extract/networks/trunk.h"
#include "tests/golden/checkpoint/oracle.h"
#include "tests/shared.h"

namespace vise {
namespace {

using test::floats_of;
using test::relative_error;

// N x C x H x W to N x H x W x C, as maps are stored.
std::vector<float> channels_last(const std::vector<float>& planar, std::size_t n, std::size_t c, std::size_t area) {
  std::vector<float> result(planar.size());
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t channel = 0; channel < c; ++channel)
      for (std::size_t place = 0; place < area; ++place)
        result[(i * area + place) * c + channel] = planar[(i * c + channel) * area + place];
  return result;
}

class ClipOracle : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = test::oracle_folder("clip_oracle.py", "torch");
    if (!folder_) GTEST_SKIP() << "skipped: python3-torch not found";
    try {
      Module::torch();
    } catch (const Error&) {
      GTEST_SKIP() << "skipped: built without LibTorch";
    }
  }

  Path file(const char* name) const { return *folder_ / name; }

  // The maps of `layers` for the oracle's two images.
  std::vector<std::vector<float>> maps_of(const networks::Network& network, const std::vector<std::string>& layers,
                                          networks::Engine engine = networks::Engine::torch) const {
    const auto trunk = networks::make_trunk(network, {engine, networks::Precision::fp32, layers, 2, 224});
    const std::vector<float> input = floats_of(file("input.bin"));
    std::copy(input.begin(), input.end(), trunk->input().begin());
    const std::string before = trunk->state_hash();
    trunk->forward();
    EXPECT_EQ(trunk->state_hash(), before);
    std::vector<std::vector<float>> maps;
    for (std::size_t i = 0; i < layers.size(); ++i)
      maps.emplace_back(trunk->maps(i).values.begin(), trunk->maps(i).values.end());
    return maps;
  }

 private:
  std::optional<Path> folder_;
};

TEST_F(ClipOracle, AgreesWithTheStateDictAndTheArchiveReadAsWeights) {
  const std::vector<float> layer4 = channels_last(floats_of(file("layer4.bin")), 2, 2048, 49);
  const std::vector<float> features = floats_of(file("features.bin"));
  std::string hash;
  for (const char* name : {"state_dict.pth", "RN50.pt"}) {
    networks::LoadReport report;
    const networks::Network network = networks::load_network(file(name), {}, &report);
    EXPECT_EQ(network.architecture, "clip-rn50") << name;
    EXPECT_EQ(report.prefix, "visual.") << name;
    ASSERT_EQ(report.dropped.size(), 1U) << name;
    EXPECT_EQ(report.dropped[0].rule, "CLIP's text encoder") << name;
    if (!hash.empty()) {
      EXPECT_EQ(networks::parameters_hash(network), hash);
    }
    hash = networks::parameters_hash(network);
    for (const networks::Engine engine : {networks::Engine::torch, networks::Engine::onednn}) {
      const auto maps = maps_of(network, {"layer4", "attnpool"}, engine);
      ASSERT_EQ(maps[1].size(), 2U * 1024);
      EXPECT_LE(relative_error(maps[0], layer4), 1e-5) << name << " " << networks::engine_name(engine);
      EXPECT_LE(relative_error(maps[1], features), 1e-5) << name << " " << networks::engine_name(engine);
    }
  }
}

TEST_F(ClipOracle, AgreesWithTheArchiveRunAsAProgram) {
  const networks::Network graph =
      networks::load_network(file("RN50.pt"), {.load = {.architecture = std::string(networks::kTorchScript)}});
  EXPECT_EQ(graph.architecture, "torchscript");
  EXPECT_EQ(networks::graph_dim(graph, 224), 1024U);
  EXPECT_LE(relative_error(maps_of(graph, {"output"})[0], floats_of(file("features.bin"))), 1e-5);
}

TEST_F(ClipOracle, RunsOnItsOwnSizeOnly) {
  const networks::Network network = networks::load_network(file("state_dict.pth"), {});
  const auto why = [&](const networks::TrunkRequest& request) {
    try {
      networks::make_trunk(network, request);
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::usage);
      return e.message();
    }
    return std::string("nothing was refused");
  };
  for (const networks::Engine engine : {networks::Engine::torch, networks::Engine::onednn})
    EXPECT_NE(why({.engine = engine, .layers = {"attnpool"}, .side = 256}).find("positions are of 7 x 7 places"),
              std::string::npos);
  EXPECT_NE(why({.engine = networks::Engine::torch, .layers = {"layer5"}}).find("no layer 'layer5'"),
            std::string::npos);
}

// What only a graph can get wrong; a ResNet's archive that isn't asked for as one is read as weights.
TEST_F(ClipOracle, RefusesWhatIsNoProgram) {
  EXPECT_THROW(
      networks::load_network(file("state_dict.pth"), {.load = {.architecture = std::string(networks::kTorchScript)}}),
      Error);
  try {
    networks::load_network(test::shared_dir() / "data/tensors/zip/torchscript.pt", {});
    if (test::have_shared()) ADD_FAILURE() << "an archive of no known architecture was taken for weights";
  } catch (const Error& e) {
    if (test::have_shared()) {
      EXPECT_NE(e.hint().find("arch=torchscript"), std::string::npos) << e.message();
    }
  }
}

}  // namespace
}  // namespace vise
