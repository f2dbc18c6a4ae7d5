// A network of each of torchvision's families against the feature that torchvision computed in float64 (make_pack.py).
// The pack has its keys, shapes and features; the weights are drawn here as they were there, every one exact in
// float32.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <numeric>

#include "base/json.h"
#include "base/text.h"
#include "extract/networks/load.h"
#include "extract/networks/make_trunk.h"
#include "extract/networks/pooling.h"
#include "tests/golden/checkpoint/oracle.h"
#include "tests/shared.h"
#include "tests/unit/extract/networks/checkpoint/files.h"

namespace vise {
namespace {

// make_pack.py's fill(): multiples of 2^-23 from -1 to 1, by arithmetic on 32 bits that wraps.
float drawn(std::uint32_t seed, std::uint32_t i) {
  std::uint32_t k = i * 2654435761U + seed;
  k = (k ^ (k >> 16)) * 0x45D9F3BU;
  k = (k ^ (k >> 16)) * 0x45D9F3BU;
  k ^= k >> 16;
  return static_cast<float>(k >> 8) * 0x1p-23F - 1;
}

std::string weights_file(const Json& tensors) {
  Json header = Json::object();
  std::string data;
  for (const Json& tensor : tensors) {
    const auto shape = tensor["shape"].get<std::vector<std::uint32_t>>();
    const std::uint32_t count = std::accumulate(shape.begin(), shape.end(), 1U, std::multiplies{});
    const float offset = tensor["offset"].get<float>(), scale = std::ldexp(1.0F, tensor["exponent"].get<int>());
    const std::size_t begin = data.size();
    for (std::uint32_t i = 0; i < count; ++i) {
      const auto bytes = std::bit_cast<std::array<char, 4>>(offset + scale * drawn(tensor["seed"], i));
      data.append(bytes.begin(), bytes.end());
    }
    header[tensor["key"].get<std::string>()] = {
        {"dtype", "F32"}, {"shape", shape}, {"data_offsets", {begin, data.size()}}};
  }
  return test::safetensors(header.dump(), data);
}

// Random batch norms multiply the roundings of ResNets and EfficientNet, as torchvision_test.cc says.
void expect_features(const Json& c, const Path& scratch) {
  SCOPED_TRACE(c["case"].get<std::string>());
  write_file_atomically(scratch / "network.safetensors", weights_file(c["tensors"]));
  const networks::Network network = networks::load_network(scratch / "network.safetensors");
  const int side = c["side"].get<int>();
  const std::string layer = network.architecture.starts_with("resnet") ? "layer4" : "final";
  const auto trunk =
      networks::make_trunk(network, {.engine = networks::Engine::onednn, .layers = {layer}, .batch = 2, .side = side});
  const auto input = trunk->input();
  for (std::size_t i = 0; i < input.size(); ++i) input[i] = 2 * drawn(c["image_seed"], static_cast<std::uint32_t>(i));
  trunk->forward();
  std::vector<float> want;
  for (const Json& row : c["rows"])
    for (const Json& value : row) want.push_back(value.get<float>());
  std::vector<float> ours(want.size());
  const networks::FeatureMaps final = trunk->maps(0);
  networks::Pooling::parse(c["pool"].get<std::string>())(std::span(&final, 1), ours);
  const double error = test::relative_error(ours, want);
  std::printf("  %s: relative error %.1e\n", c["case"].get<std::string>().c_str(), error);
  EXPECT_LE(error, 5e-5);
}

TEST(GoldenPack, FeaturesEqualTorchvisionsOfEachFamily) {
  const test::ScratchDir scratch;
  int cases = 0;
  for (const std::string& line : split(read_text_file(test::golden_pack() / "features.jsonl"), '\n')) {
    if (line.empty()) continue;
    expect_features(parse_json(line, "features.jsonl"), scratch.path());
    ++cases;
  }
  EXPECT_EQ(cases, 5);
}

}  // namespace
}  // namespace vise
