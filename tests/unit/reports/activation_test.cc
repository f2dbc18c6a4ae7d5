#include "reports/activation.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/npy.h"
#include "base/random.h"
#include "probes/linear_model.h"
#include "tests/shared.h"

namespace vise::reports {
namespace {

constexpr std::size_t kClasses = 3, kDim = 11;
constexpr int kHeight = 2, kWidth = 3;

class Activation : public testing::Test {
 protected:
  void SetUp() override {
    RandomStream random("activation", 0);
    for (std::size_t i = 0; i < kClasses * kDim; ++i) weights_.push_back(random.normal());
    for (std::size_t k = 0; k < kClasses; ++k) intercepts_.push_back(random.normal());
    for (std::size_t i = 0; i < kHeight * kWidth * kDim; ++i) features_.push_back(static_cast<float>(random.uniform()));
    result_.key = "0123456789abcdef";
    result_.class_names = {"a", "b", "c"};
  }
  probes::LinearModel model() const {
    return {probes::view(weights_.data(), kClasses, kDim, kDim),
            probes::view(intercepts_.data(), 1, kClasses, kClasses)};
  }

  test::ScratchDir dir_;
  std::vector<double> weights_, intercepts_;
  std::vector<float> features_;
  experiments::Result result_;
};

// The oracle: what the probe itself says of the averaged features.
TEST_F(Activation, MapsMeanIsTheScoreOfTheAveragedFeatures) {
  experiments::write_weights(dir_.path(), result_.key, model());
  const experiments::LinearWeights kept = *experiments::read_weights(dir_.path(), result_);
  std::vector<float> row(kDim);
  for (std::size_t i = 0; i < features_.size(); ++i) row[i % kDim] += features_[i] / (kHeight * kWidth);
  const std::vector<std::uint32_t> rows{0};
  const probes::Scores scores = model().predict(probes::FeatureRows(row.data(), kDim, rows));
  for (std::size_t k = 0; k < kClasses; ++k) {
    const ClassMap map = class_map(features_, kHeight, kWidth, kept, k);
    ASSERT_EQ(map.values.size(), std::size_t{kHeight * kWidth});
    EXPECT_NEAR(map.score, centred_score(scores.values, k), 1e-5);
    double mean = 0;
    for (const float v : map.values) mean += static_cast<double>(v) / (kHeight * kWidth);
    EXPECT_NEAR(mean, map.score, 1e-5);
  }
}

// A feature that only one place has moves the map there and nowhere else.
TEST_F(Activation, EvidenceLiesWhereTheFeatureIs) {
  experiments::write_weights(dir_.path(), result_.key, model());
  const experiments::LinearWeights kept = *experiments::read_weights(dir_.path(), result_);
  const ClassMap before = class_map(features_, kHeight, kWidth, kept, 1);
  features_[4 * kDim + 7] += 1;
  const ClassMap after = class_map(features_, kHeight, kWidth, kept, 1);
  for (std::size_t at = 0; at < before.values.size(); ++at)
    EXPECT_EQ(at == 4, before.values[at] != after.values[at]) << at;
}

// Knows no weights, as a probe that treats features.
class Opaque final : public probes::ProbeModel {
  probes::Scores predict(const probes::FeatureRows&) const override { return {}; }
};

TEST_F(Activation, WeightsOfOtherModelsAreNotKept) {
  experiments::write_weights(dir_.path(), result_.key, Opaque());
  EXPECT_FALSE(experiments::read_weights(dir_.path(), result_));
  const std::size_t dim = experiments::kMostWeightsBytes / sizeof(float);
  experiments::write_weights(
      dir_.path(), result_.key,
      probes::LinearModel(probes::Matrix<double>::Zero(1, dim), probes::Row::Zero(1)));  // too large
  EXPECT_FALSE(experiments::read_weights(dir_.path(), result_));
}

TEST_F(Activation, WeightsOfOtherClassesAreAnError) {
  experiments::write_weights(dir_.path(), result_.key, model());
  result_.class_names.pop_back();
  EXPECT_THROW(experiments::read_weights(dir_.path(), result_), Error);
}

}  // namespace
}  // namespace vise::reports
