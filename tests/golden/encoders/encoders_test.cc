// Features of published key layouts, from image file to row, against those that the authors' own code computed
// (../shared/data/encoders/README.md says how, and why each tolerance is what it is), on both engines.
#include <cmath>
#include <cstdio>

#include "base/error.h"
#include "base/module.h"
#include "base/npy.h"
#include "extract/networks/make_trunk.h"
#include "tests/golden/encoders/features.h"

namespace vise {
namespace {

using test::GoldenCase;
using test::GoldenTap;

// The largest relative error of a row.
double error_of(std::span<const float> rows, const NpyArray& golden) {
  const std::vector<double> reference = golden.to_doubles();
  EXPECT_EQ(rows.size(), reference.size());
  if (rows.size() != reference.size()) return INFINITY;
  const std::size_t width = reference.size() / golden.shape().at(0);
  double worst = 0;
  for (std::size_t row = 0; row < golden.shape()[0]; ++row)
    worst = std::max(worst, test::relative_error(rows.subspan(row * width, width),
                                                 std::span(reference).subspan(row * width, width)));
  return worst;
}

bool have_torch() {
  try {
    Module::torch();
    return true;
  } catch (const Error&) {
    return false;
  }
}

void compare(const GoldenCase& golden, const networks::Network& network, const std::vector<float>& pixels,
             networks::Engine engine) {
  const std::vector<std::string> layers = test::layers_of(network, golden.taps);
  const int images = static_cast<int>(pixels.size() / (3 * static_cast<std::size_t>(golden.side * golden.side)));
  const auto trunk =
      networks::make_trunk(network, {engine, networks::Precision::fp32, layers, images, golden.side, {}});
  std::ranges::copy(pixels, trunk->input().begin());
  trunk->forward();
  for (const GoldenTap& tap : golden.taps) {
    const double error = error_of(test::rows_of(network, tap, *trunk, layers), NpyArray::open(tap.golden));
    std::printf("%-26s %-11s %-7s %8.1e  (tolerance %.0e)\n", golden.name.c_str(), tap.tap.c_str(),
                std::string(networks::engine_name(engine)).c_str(), error, tap.tolerance);
    EXPECT_LE(error, tap.tolerance) << golden.name << " " << tap.tap << " " << networks::engine_name(engine);
  }
}

class Encoders : public testing::TestWithParam<GoldenCase> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Encoders);

TEST_P(Encoders, GiveTheAuthorsFeatures) {
  VISE_NEEDS_ENCODERS();
  const GoldenCase& golden = GetParam();
  const test::ScratchDir scratch;
  const Path path = test::golden_checkpoint(golden, scratch.path());
  const networks::Network network = test::load_case(golden, path);
  // What the key layout is known to be is what the authors' code had.
  for (const networks::Fact& fact : network.facts)
    EXPECT_EQ(fact.source.find(", against "), std::string::npos)
        << fact.name << ": " << fact.value << ", " << fact.source;
  const std::vector<float> pixels = test::pixels_of(test::transform_of(golden, path), test::golden_images());
  compare(golden, network, pixels, networks::Engine::onednn);
  if (have_torch()) compare(golden, network, pixels, networks::Engine::torch);
}

INSTANTIATE_TEST_SUITE_P(All, Encoders, testing::ValuesIn(test::golden_cases()), [](const auto& each) {
  std::string name = each.param.name;
  std::ranges::replace(name, '@', '_');
  return name;
});

}  // namespace
}  // namespace vise
