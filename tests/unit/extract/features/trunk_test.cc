#include "extract/networks/trunk.h"

#include <cmath>
#include <thread>

#include "base/error.h"
#include "extract/networks/family_registry.h"
#include "extract/networks/make_trunk.h"
#include "tests/unit/extract/drawn.h"

namespace vise::features {
namespace {

std::vector<float> noise(const std::string& name, std::size_t n) {
  RandomStream random(name, 0);
  std::vector<float> values(n);
  for (float& v : values) v = static_cast<float>(random.normal());
  return values;
}

// The maps of every layer for `images` put at the batch's places, one after another.
std::vector<std::vector<float>> maps_of(networks::Trunk& trunk, const std::vector<std::vector<float>>& images,
                                        std::size_t layers) {
  const auto input = trunk.input();
  const std::size_t per_image = input.size() / static_cast<std::size_t>(trunk.batch());
  for (std::size_t i = 0; i < images.size(); ++i)
    std::copy(images[i].begin(), images[i].end(), input.begin() + static_cast<std::ptrdiff_t>(i * per_image));
  trunk.forward();
  std::vector<std::vector<float>> all;
  for (std::size_t layer = 0; layer < layers; ++layer) {
    const auto values = trunk.maps(layer).values;
    all.emplace_back(values.begin(), values.end());
  }
  return all;
}

double relative_error(std::span<const float> a, std::span<const float> b) {
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference += (static_cast<double>(a[i]) - b[i]) * (static_cast<double>(a[i]) - b[i]);
    norm += static_cast<double>(b[i]) * b[i];
  }
  return std::sqrt(difference / norm);
}

// Batch norms that do something: random statistics and affine parts.
networks::Network unsettled(const std::string& architecture) {
  networks::Network net = networks::random_network(architecture, 3);
  RandomStream random("statistics", 3);
  for (networks::Op& op : net.ops) {
    auto* const norm = std::get_if<networks::BatchNorm>(&op.kind);
    if (!norm) continue;
    const std::size_t channels = norm->gamma.size();
    std::vector<float> gamma(channels), beta(channels), mean(channels), variance(channels);
    for (std::size_t c = 0; c < channels; ++c) {
      gamma[c] = static_cast<float>(0.5 + random.uniform());
      beta[c] = static_cast<float>(random.normal() * 0.1);
      mean[c] = static_cast<float>(random.normal() * 0.1);
      variance[c] = static_cast<float>(0.5 + random.uniform());
    }
    const std::vector<std::int64_t> shape = norm->gamma.shape();
    *norm = {{shape, gamma}, {shape, beta}, {shape, mean}, {shape, variance}, norm->eps};
  }
  return net;
}

const std::vector<std::string> kLayers{"layer1", "layer2", "layer3", "layer4"};

// LibTorch runs the unfolded network on the same values; 1e-5 is ten times what either is off against fp64.
TEST(OneDnnTrunk, AgreesWithLibTorchAtEveryLayer) {
  if (!test::have_torch()) GTEST_SKIP() << "skipped: built without LibTorch";
  for (const char* architecture : {"resnet18", "resnet50", "resnext50_32x4d"}) {
    const networks::Network net = unsettled(architecture);
    const auto ours = networks::make_trunk(net, {networks::Engine::onednn, networks::Precision::fp32, kLayers, 2, 64});
    const auto theirs = networks::make_trunk(net, {networks::Engine::torch, networks::Precision::fp32, kLayers, 2, 64});
    const std::vector<std::vector<float>> images{noise("a", 3 * 64 * 64), noise("b", 3 * 64 * 64)};
    const auto a = maps_of(*ours, images, 4), b = maps_of(*theirs, images, 4);
    for (std::size_t layer = 0; layer < 4; ++layer) {
      ASSERT_EQ(a[layer].size(), b[layer].size());
      EXPECT_LE(relative_error(a[layer], b[layer]), 1e-5) << architecture << " " << kLayers[layer];
    }
  }
}

TEST(OneDnnTrunk, GivesBitEqualMapsWhereverAnImageStandsInTheBatch) {
  const networks::Network net = unsettled("resnet18");
  const auto trunk =
      networks::make_trunk(net, {networks::Engine::onednn, networks::Precision::fp32, {"layer4"}, 4, 64});
  const auto a = noise("a", 3 * 64 * 64), b = noise("b", 3 * 64 * 64), c = noise("c", 3 * 64 * 64),
             d = noise("d", 3 * 64 * 64);
  const auto first = maps_of(*trunk, {a, b, c, d}, 1)[0], second = maps_of(*trunk, {d, c, b, a}, 1)[0];
  const std::size_t n = first.size() / 4;
  EXPECT_TRUE(std::equal(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(n),
                         second.begin() + static_cast<std::ptrdiff_t>(3 * n)));
}

TEST(OneDnnTrunk, GivesBitEqualMapsOnReplicasOfOtherThreads) {
  const networks::Network net = unsettled("resnet18");
  const auto trunk =
      networks::make_trunk(net, {networks::Engine::onednn, networks::Precision::fp32, {"layer2", "layer4"}, 2, 64});
  const std::vector<std::vector<float>> images{noise("a", 3 * 64 * 64), noise("b", 3 * 64 * 64)};
  const auto here = maps_of(*trunk, images, 2);
  std::vector<std::vector<float>> there;
  std::jthread([&] { there = maps_of(*trunk->replicate(), images, 2); }).join();
  EXPECT_EQ(here, there);
}

TEST(OneDnnTrunk, ProvesThatItsParametersStayedAsTheyWere) {
  const networks::Network net = unsettled("resnet18");
  const auto trunk =
      networks::make_trunk(net, {networks::Engine::onednn, networks::Precision::fp32, {"layer4"}, 1, 64});
  const std::string before = trunk->state_hash();
  maps_of(*trunk, {noise("a", 3 * 64 * 64)}, 1);
  EXPECT_EQ(trunk->state_hash(), before);
  networks::Network changed = net;
  auto& stem = std::get<networks::Convolution>(changed.ops[0].kind);
  std::vector<float> weight(stem.weight.values().begin(), stem.weight.values().end());
  weight[0] += 1e-3f;
  stem.weight = networks::Parameter(stem.weight.shape(), weight);
  EXPECT_NE(networks::make_trunk(changed, {networks::Engine::onednn, networks::Precision::fp32, {"layer4"}, 1, 64})
                ->state_hash(),
            before);
}

// The message and hint that making a trunk ends with; "" if it is made.
std::string refusal(const networks::TrunkRequest& request) {
  try {
    static const networks::Network net = networks::random_network("resnet18", 1);
    networks::make_trunk(net, request);
    return "";
  } catch (const Error& e) {
    return e.message() + " | " + e.hint();
  }
}

TEST(Device, ParsesBackFromItsName) {
  EXPECT_EQ(networks::parse_device("cpu"), networks::Device{});
  EXPECT_EQ(networks::parse_device("cuda"), (networks::Device{networks::Device::Kind::cuda, 0}));
  for (const char* name : {"cpu", "cuda:0", "cuda:7"}) EXPECT_EQ(networks::parse_device(name).name(), name);
  for (const char* wrong : {"", "gpu", "cuda:", "cuda:-1", "cuda:x", "cuda:1000", "cpu:0"})
    EXPECT_THROW(networks::parse_device(wrong), Error) << wrong;
}

TEST(Device, NothingComputesWhatDoesNotFitIt) {
  const networks::Device cuda = networks::parse_device("cuda");
  const auto has = [](const std::string& text, const char* part) { return text.find(part) != std::string::npos; };
  EXPECT_TRUE(has(refusal({.engine = networks::Engine::onednn, .device = cuda}), "oneDNN computes on the CPU only"));
  EXPECT_TRUE(has(refusal({.precision = networks::Precision::fp16}), "--device cuda"));
  EXPECT_TRUE(
      has(refusal({.engine = networks::Engine::torch, .precision = networks::Precision::fp16}), "is for CUDA devices"));
  EXPECT_TRUE(has(refusal({.engine = networks::Engine::torch, .precision = networks::Precision::bf16}),
                  "in fp32 only on the CPU"));
}

TEST(CudaTrunk, IsMissingWithAReasonWhereLibTorchHasNone) {
  if (!test::have_torch()) GTEST_SKIP() << "skipped: built without LibTorch";
  try {
    networks::make_trunk(networks::random_network("resnet18", 1),
                         {.engine = networks::Engine::torch, .device = networks::parse_device("cuda:99")});
    FAIL() << "a machine with a hundred CUDA devices";
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::missing);
    EXPECT_EQ(e.message().find("--device cuda"), 0u) << e.message();
  }
}

// The CPU's maps are the oracle. fp32 sums in another order (TF32 is off); halves keep 11 bits, bfloats 8.
TEST(CudaTrunk, AgreesWithTheCpu) {
  const networks::TrunkRequest on_cuda{
      .engine = networks::Engine::torch, .layers = {"layer4"}, .batch = 8, .device = networks::parse_device("cuda")};
  if (!test::have_torch()) GTEST_SKIP() << "skipped: built without LibTorch";
  if (const std::string why = refusal(on_cuda); !why.empty()) GTEST_SKIP() << "skipped: " << why;
  const networks::Network net = unsettled("resnet50");
  std::vector<std::vector<float>> images;
  for (int i = 0; i < 8; ++i) images.push_back(noise(std::to_string(i), 3 * 224 * 224));
  networks::TrunkRequest on_cpu = on_cuda;
  on_cpu.device = {};
  const std::vector<float> expected = maps_of(*networks::make_trunk(net, on_cpu), images, 1)[0];
  for (const auto& [precision, tolerance] :
       {std::pair(networks::Precision::fp32, 1e-5), std::pair(networks::Precision::fp16, 2e-2),
        std::pair(networks::Precision::bf16, 5e-2)}) {
    networks::TrunkRequest request = on_cuda;
    request.precision = precision;
    const auto trunk = networks::make_trunk(net, request);
    EXPECT_LE(relative_error(maps_of(*trunk, images, 1)[0], expected), tolerance)
        << networks::precision_name(precision);
    EXPECT_EQ(maps_of(*trunk->replicate(), images, 1), maps_of(*trunk, images, 1))
        << networks::precision_name(precision);
  }
}

TEST(Engine, SuggestsTheNearestName) {
  try {
    networks::parse_engine("onednm");
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(e.hint().find("'onednn'"), std::string::npos);
  }
}

}  // namespace
}  // namespace vise::features
