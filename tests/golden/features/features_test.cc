// Features of real images through real weights, from file bytes to pooled row, against torchvision's (its transforms,
// its network, Pillow's pixels). A few images of every kind by default; all 883 with VISE_ALL_IMAGES=1.
#include <fmt/format.h>

#include <cmath>
#include <cstdlib>

#include "base/error.h"
#include "base/module.h"
#include "base/npy.h"
#include "datasets/open_data.h"
#include "extract/features/features.h"
#include "tests/shared.h"

namespace vise {
namespace {

struct Case {
  const char *data, *table, *architecture;
  networks::Engine engine;
};

std::string name_of(const testing::TestParamInfo<Case>& info) {
  return fmt::format("{}_{}_{}", info.param.data, info.param.architecture, networks::engine_name(info.param.engine));
}

bool all_images() { return std::getenv("VISE_ALL_IMAGES") != nullptr; }

// Every `step`-th item, with its row in the reference.
datasets::Dataset subset(const datasets::Dataset& whole, std::size_t step, std::vector<std::size_t>& kept) {
  datasets::Dataset part;
  part.name = whole.name;
  part.root = whole.root;
  for (std::size_t item = 0; item < whole.size(); item += step) {
    part.ids.push_back(whole.ids[item]);
    kept.push_back(item);
  }
  return part;
}

features::FeatureRequest request_for(const Case& c) {
  const Path file = test::shared_dir() / "data/weights" / fmt::format("{}_imagenet_fp16.pth", c.architecture);
  return {features::parse_backbone(fmt::format("net={}", file.string())), c.engine};
}

double relative_error(std::span<const float> row, std::span<const float> reference) {
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < row.size(); ++i) {
    const double d = static_cast<double>(row[i]) - reference[i];
    difference += d * d;
    norm += static_cast<double>(reference[i]) * reference[i];
  }
  return std::sqrt(difference / norm);
}

class GoldenFeatures : public testing::TestWithParam<Case> {};

TEST_P(GoldenFeatures, EqualTorchvisionsToOneInAHundredThousand) {
  VISE_NEEDS_SHARED();
  const Case& c = GetParam();
  if (c.engine == networks::Engine::torch) {
    try {
      Module::torch();
    } catch (const Error& e) {
      GTEST_SKIP() << e.message();
    }
  }
  Silent log;
  const test::ScratchDir scratch;
  const datasets::Dataset whole =
      datasets::open_data_path(test::shared_dir() / "data/datasets" / c.data / c.table, log);
  std::vector<std::size_t> kept;
  const datasets::Dataset dataset = subset(whole, all_images() ? 1 : 37, kept);
  features::ExtractOptions options;
  options.cache = scratch.path();
  options.weights.offline = true;
  const auto features = features::extract_features(dataset, {request_for(c)}, options, {log, {}, 2});
  const NpyArray golden =
      NpyArray::open(test::shared_dir() / "data/golden/features" / fmt::format("{}_{}.npy", c.data, c.architecture));
  ASSERT_EQ(golden.shape(), (std::vector<std::uint64_t>{whole.size(), features[0].dim}));
  double worst = 0;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    const double error =
        relative_error(features[0].values(i), golden.as<float>().subspan(kept[i] * features[0].dim, features[0].dim));
    EXPECT_LE(error, 1e-5) << dataset.ids[i];
    worst = std::max(worst, error);
  }
  fmt::print("[ features ] {} images, largest relative error {:.1e}\n", kept.size(), worst);
}

INSTANTIATE_TEST_SUITE_P(Real, GoldenFeatures,
                         testing::Values(Case{"omi300", "happy.csv", "resnet18", networks::Engine::onednn},
                                         Case{"omi300", "happy.csv", "resnet50", networks::Engine::onednn},
                                         Case{"bass", "valence.csv", "resnet18", networks::Engine::onednn},
                                         Case{"bass", "valence.csv", "resnet50", networks::Engine::onednn},
                                         Case{"omi300", "happy.csv", "resnet18", networks::Engine::torch},
                                         Case{"omi300", "happy.csv", "resnet50", networks::Engine::torch},
                                         Case{"bass", "valence.csv", "resnet18", networks::Engine::torch},
                                         Case{"bass", "valence.csv", "resnet50", networks::Engine::torch}),
                         name_of);

}  // namespace
}  // namespace vise
