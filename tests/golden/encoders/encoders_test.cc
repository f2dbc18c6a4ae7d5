// Features of published key layouts, from image file to row, against those that the authors' own code computed
// (../shared/data/encoders/README.md says how, and why each tolerance is what it is), on both engines.
#include <cmath>
#include <cstdio>

#include "base/error.h"
#include "base/module.h"
#include "base/npy.h"
#include "extract/images/decode/decode.h"
#include "extract/images/transform/transform.h"
#include "extract/networks/checkpoint/hub_config.h"
#include "extract/networks/load.h"
#include "extract/networks/pooling.h"
#include "tests/golden/encoders/manifest.h"

namespace vise {
namespace {

using test::GoldenCase;
using test::GoldenTap;

// Facts of a folder are its configs' alone; of a file what the manifest lists as not in its tensors.
Network load_case(const GoldenCase& golden, const Path& path) {
  LoadRequest request;
  const std::optional<HubConfig> config = config_beside(path);
  for (const Fact& fact : config ? config->facts : golden.facts) request.facts.say(fact.name, fact.value, fact.source);
  return load_network(read_checkpoint(path), request);
}

// A folder's own transform, at the size it was made for.
Transform transform_of(const GoldenCase& golden, const Path& path) {
  const std::optional<HubConfig> config = config_beside(path);
  const bool is_own_size = golden.name == golden.checkpoint();
  return Transform::parse(config && is_own_size ? config->transform : golden.transform);
}

// 7 x 3 x side x side, normalised.
std::vector<float> pixels_of(const Transform& transform) {
  std::vector<float> all;
  for (const Path& path : test::golden_images()) {
    const MappedFile file(path);
    std::vector<std::uint8_t> rgb(transform.bytes());
    transform.pixels(decode_image(file.bytes(), path.string()), rgb);
    all.resize(all.size() + transform.bytes());
    transform.normalise(rgb, all.data() + all.size() - transform.bytes());
  }
  return all;
}

// The largest relative error of a row.
double error_of(std::span<const float> rows, const NpyArray& golden) {
  const std::vector<double> reference = golden.to_doubles();
  EXPECT_EQ(rows.size(), reference.size());
  if (rows.size() != reference.size()) return INFINITY;
  const std::size_t width = reference.size() / golden.shape().at(0);
  double worst = 0;
  for (std::size_t row = 0; row < golden.shape()[0]; ++row) {
    double difference = 0, norm = 0;
    for (std::size_t i = row * width; i < (row + 1) * width; ++i) {
      difference += (rows[i] - reference[i]) * (rows[i] - reference[i]);
      norm += reference[i] * reference[i];
    }
    worst = std::max(worst, std::sqrt(difference / norm));
  }
  return worst;
}

std::vector<float> rows_of(const Network& network, const GoldenTap& tap, Trunk& trunk,
                           const std::vector<std::string>& layers) {
  const Outline seen = outline(network);
  const Pooling pooling = Pooling::parse(tap.pool);
  std::vector<FeatureMaps> maps;
  for (const std::string& layer : pooling.layers(seen, tap.layer))
    maps.push_back(trunk.maps(static_cast<std::size_t>(std::ranges::find(layers, layer) - layers.begin())));
  std::vector<float> rows(static_cast<std::size_t>(trunk.batch()) * pooling.dim(seen, tap.layer));
  pooling(maps, rows);
  return rows;
}

bool have_torch() {
  try {
    Module::torch();
    return true;
  } catch (const Error&) {
    return false;
  }
}

void compare(const GoldenCase& golden, const Network& network, const std::vector<float>& pixels, Engine engine) {
  std::vector<std::string> layers;
  for (const GoldenTap& tap : golden.taps)
    for (const std::string& layer : Pooling::parse(tap.pool).layers(outline(network), tap.layer))
      if (std::ranges::find(layers, layer) == layers.end()) layers.push_back(layer);
  const int images = static_cast<int>(pixels.size() / (3 * static_cast<std::size_t>(golden.side * golden.side)));
  const auto trunk = make_trunk(network, {engine, Precision::fp32, layers, images, golden.side, {}});
  std::ranges::copy(pixels, trunk->input().begin());
  trunk->forward();
  for (const GoldenTap& tap : golden.taps) {
    const double error = error_of(rows_of(network, tap, *trunk, layers), NpyArray::open(tap.golden));
    std::printf("%-26s %-11s %-7s %8.1e  (tolerance %.0e)\n", golden.name.c_str(), tap.tap.c_str(),
                std::string(engine_name(engine)).c_str(), error, tap.tolerance);
    EXPECT_LE(error, tap.tolerance) << golden.name << " " << tap.tap << " " << engine_name(engine);
  }
}

class Encoders : public testing::TestWithParam<GoldenCase> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Encoders);

TEST_P(Encoders, GiveTheAuthorsFeatures) {
  const GoldenCase& golden = GetParam();
  const test::ScratchDir scratch;
  const Path path = test::golden_checkpoint(golden, scratch.path());
  const Network network = load_case(golden, path);
  // What the key layout is known to be is what the authors' code had.
  for (const Fact& fact : network.facts)
    EXPECT_EQ(fact.source.find(", against "), std::string::npos)
        << fact.name << ": " << fact.value << ", " << fact.source;
  const std::vector<float> pixels = pixels_of(transform_of(golden, path));
  compare(golden, network, pixels, Engine::onednn);
  if (have_torch()) compare(golden, network, pixels, Engine::torch);
}

INSTANTIATE_TEST_SUITE_P(All, Encoders, testing::ValuesIn(test::golden_cases()), [](const auto& each) {
  std::string name = each.param.name;
  std::ranges::replace(name, '@', '_');
  return name;
});

}  // namespace
}  // namespace vise
