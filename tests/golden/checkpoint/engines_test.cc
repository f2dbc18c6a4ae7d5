// Every architecture on both engines: oneDNN's folded and fused network against LibTorch's plain one.
#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/module.h"
#include "extract/networks/family_registry.h"
#include "extract/networks/make_trunk.h"
#include "extract/networks/pooling.h"
#include "extract/networks/trunk.h"
#include "tests/shared.h"

namespace vise {
namespace {

// Normal numbers from a table drawn once: a wide network has 127 million weights, and drawing each takes seconds. Its
// length is a prime, so that it doesn't fall into step with any layer's shape.
class Normals {
 public:
  explicit Normals(const std::string& name) : table_(65537) {
    RandomStream random(name, 0);
    for (float& value : table_) value = static_cast<float>(random.normal());
  }
  float next() { return table_[at_ = (at_ + 1) % table_.size()]; }

 private:
  std::vector<float> table_;
  std::size_t at_ = 0;
};

// He's scale, and batch norms that do something.
class Drawn final : public networks::WeightSource {
 public:
  explicit Drawn(const std::string& name) : normals_(name) {}

  networks::Parameter take(const std::string&, std::vector<std::int64_t> shape, networks::Init init) override {
    std::vector<float> values(networks::Parameter(shape).size());
    float centre = 0, spread = 0.1F;
    if (init == networks::Init::fan_out) spread = std::sqrt(2.0F / static_cast<float>(shape[1] * shape[2] * shape[3]));
    if (init == networks::Init::one) centre = 0.7F;
    if (init == networks::Init::variance) centre = 1;
    for (float& value : values) value = centre + spread * normals_.next();
    return {std::move(shape), std::move(values)};
  }

 private:
  Normals normals_;
};

networks::Network drawn(const std::string& architecture) {
  Drawn weights(architecture);
  return networks::family_of(architecture).build(architecture, weights);
}

std::vector<float> pooled(const networks::Network& net, networks::Engine engine) {
  const auto trunk = networks::make_trunk(net, {engine, networks::Precision::fp32, {"layer4"}, 1, 96});
  Normals normals("image");
  for (float& value : trunk->input()) value = normals.next();
  const std::string before = trunk->state_hash();
  trunk->forward();
  EXPECT_EQ(trunk->state_hash(), before);
  const networks::FeatureMaps maps = trunk->maps(0);
  std::vector<float> row(static_cast<std::size_t>(maps.channels));
  networks::Pooling::parse("avg")(std::span(&maps, 1), row);
  return row;
}

class Engines : public testing::TestWithParam<std::string> {};

TEST_P(Engines, AgreeOnPooledFeatures) {
  try {
    Module::torch();
  } catch (const Error&) {
    GTEST_SKIP() << "skipped: built without LibTorch";
  }
  const networks::Network net = drawn(GetParam());
  const std::vector<float> ours = pooled(net, networks::Engine::onednn), theirs = pooled(net, networks::Engine::torch);
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    difference += std::pow(static_cast<double>(ours[i]) - theirs[i], 2);
    norm += std::pow(static_cast<double>(theirs[i]), 2);
  }
  const double error = std::sqrt(difference / norm);
  EXPECT_GT(norm, 0);
  EXPECT_TRUE(std::isfinite(norm));
  EXPECT_LE(error, 1e-5);
  std::printf("%s: relative error %.2g\n", GetParam().c_str(), error);
}

INSTANTIATE_TEST_SUITE_P(All, Engines, testing::ValuesIn(networks::family_of("resnet50").architectures),
                         [](const auto& i) {
                           std::string name = i.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace vise
