// The attentive probe's loss, gradients, steps and scores against PyTorch's own nn.MultiheadAttention and optimiser
// (attentive_oracle.py), in double precision. Skipped where Debian's python3-torch or the LibTorch module isn't there.
#include "probes/attentive.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>

#include "base/half.h"
#include "base/json.h"
#include "base/module.h"
#include "base/random.h"
#include "tests/golden/floats.h"
#include "tests/shared.h"
#include "tests/torch_module.h"

namespace vise {
namespace {

using test::floats_in, test::put_floats, test::relative_error;

constexpr std::size_t kImages = 9, kTokens = 7, kChannels = 12, kOutputs = 3, kSteps = 5;

using Part = std::pair<const char*, std::vector<float> probes::AttentiveParameters::*>;
constexpr std::array<Part, 5> kParts{Part{"query", &probes::AttentiveParameters::query},
                                     {"keys", &probes::AttentiveParameters::keys},
                                     {"values", &probes::AttentiveParameters::values},
                                     {"weights", &probes::AttentiveParameters::weights},
                                     {"intercepts", &probes::AttentiveParameters::intercepts}};

class Case {
 public:
  Case(const Path& in, probes::HeadLoss loss, const char* loss_name, std::size_t heads)
      : folder(in / fmt::format("{}-{}", loss_name, heads)), loss_(loss), heads_(heads) {
    RandomStream random(fmt::format("attentive-test/{}/{}", loss_name, heads), 0);
    std::vector<float> tokens(kImages * kTokens * kChannels);
    // Channels of several means and deviations, so that the standardisation counts.
    for (std::size_t i = 0; i < tokens.size(); ++i)
      tokens[i] = static_cast<float>((1.0 + static_cast<double>(i % kChannels)) * (random.normal() + 0.5));
    halves_.resize(tokens.size());
    narrow(tokens, halves_);
    widen(halves_, tokens);
    for (std::size_t i = 0; i < kImages; ++i) {
      rows_.push_back(halves_.data() + i * kTokens * kChannels);
      for (std::size_t k = 0; k < kOutputs; ++k) targets_.push_back(target(i, k, random));
    }
    scale_ = probes::token_scale(rows_, kTokens, kChannels);
    std::filesystem::create_directories(folder);
    put_floats(folder / "tokens.bin", tokens);
    put_floats(folder / "targets.bin", targets_);
    test::write_plainly(folder / "case.json", Json{{"images", kImages},
                                                   {"tokens", kTokens},
                                                   {"channels", kChannels},
                                                   {"heads", heads},
                                                   {"outputs", kOutputs},
                                                   {"loss", loss_name},
                                                   {"steps", kSteps},
                                                   {"rate", kRate},
                                                   {"decay", kDecay}}
                                                  .dump());
    begun = train(probes::HeadOptimizer::sgd, 1, {0, 0});
    for (const auto& [name, part] : kParts) put_floats(folder / fmt::format("{}.bin", name), begun.*part);
  }

  probes::AttentiveParameters train(probes::HeadOptimizer optimizer, std::int64_t epochs, probes::HeadRate rate) const {
    probes::AttentiveJob job;
    job.optimizer = optimizer;
    job.epochs = epochs;
    job.loss = loss_;
    job.momentum = 0;
    job.warmup_epochs = 0;
    job.cosine = false;
    job.batch = kImages;
    job.rows = rows_;
    job.tokens = kTokens;
    job.channels = kChannels;
    job.heads = heads_;
    job.mean = scale_.mean;
    job.deviation = scale_.deviation;
    job.targets = targets_;
    job.outputs = kOutputs;
    job.rates = std::span(&rate, 1);
    std::vector<probes::AttentiveParameters> result;
    Module::torch().symbol<probes::TrainAttentive>("vise_torch_attentive")(job, result);
    return result.at(0);
  }

  // A step so long that what it adds is not rounded away: gradients are what it added.
  std::vector<float> gradient(std::vector<float> probes::AttentiveParameters::*part) const {
    constexpr double kLong = 1 << 20;
    const probes::AttentiveParameters stepped = train(probes::HeadOptimizer::sgd, 1, {kLong, 0});
    std::vector<float> result;
    for (std::size_t i = 0; i < (begun.*part).size(); ++i)
      result.push_back(static_cast<float>(
          (static_cast<double>((begun.*part)[i]) - static_cast<double>((stepped.*part)[i])) / kLong));
    return result;
  }

  probes::AttentiveParameters after_steps() const {
    return train(probes::HeadOptimizer::adamw, kSteps, {kRate, kDecay});
  }

  std::vector<float> scores() const {
    const probes::Scores scores = probes::attentive_model(begun, scale_, heads_)
                                      ->predict(probes::FeatureRows(rows_, kTokens * kChannels, kTokens));
    return {scores.values.begin(), scores.values.end()};
  }

  Path folder;
  probes::AttentiveParameters begun;

 private:
  static constexpr double kRate = 0.01, kDecay = 0.1;
  // Probabilities, labels with unknown ones, values.
  float target(std::size_t i, std::size_t k, RandomStream& random) const {
    if (loss_ == probes::HeadLoss::softmax) return i % kOutputs == k ? 0.75F : 0.125F;
    if (loss_ == probes::HeadLoss::sigmoid) return static_cast<float>((i + 2 * k) % 3) - 1;
    return static_cast<float>(random.normal());
  }

  probes::HeadLoss loss_;
  std::size_t heads_;
  std::vector<std::uint16_t> halves_;
  std::vector<const std::uint16_t*> rows_;
  std::vector<float> targets_;
  probes::TokenScale scale_;
};

TEST(AttentiveProbe, HasTorchsLossGradientsStepsAndScores) {
  if (!test::have_torch()) GTEST_SKIP() << "skipped: built without LibTorch";
  if (std::system("/usr/bin/python3 -c 'import torch' 2>/dev/null") != 0)
    GTEST_SKIP() << "skipped: python3-torch not found";
  const test::ScratchDir dir;
  std::vector<std::unique_ptr<Case>> cases;
  std::string command = (Path(VISE_SOURCE_DIR) / "tests/golden/probes/attentive_oracle.py").string();
  const std::vector<std::tuple<probes::HeadLoss, const char*, std::size_t>> wanted{
      {probes::HeadLoss::softmax, "softmax", 1},
      {probes::HeadLoss::softmax, "softmax", 3},
      {probes::HeadLoss::sigmoid, "sigmoid", 2},
      {probes::HeadLoss::squares, "squares", 4}};
  for (const auto& [loss, name, heads] : wanted) {
    cases.push_back(std::make_unique<Case>(dir.path(), loss, name, heads));
    command += " " + cases.back()->folder.string();
  }
  ASSERT_EQ(std::system(command.c_str()), 0);
  for (const auto& one : cases) {
    SCOPED_TRACE(one->folder.filename().string());
    const double loss = static_cast<double>(floats_in(one->folder / "loss.bin").at(0));
    EXPECT_NEAR(one->begun.loss, loss, 1e-5 * loss);
    EXPECT_LE(relative_error(one->scores(), floats_in(one->folder / "scores.bin")), 1e-5);
    const probes::AttentiveParameters after = one->after_steps();
    for (const auto& [name, part] : kParts) {
      EXPECT_LE(relative_error(one->gradient(part), floats_in(one->folder / fmt::format("{}.gradient.bin", name))),
                1e-5)
          << name;
      EXPECT_LE(relative_error(after.*part, floats_in(one->folder / fmt::format("{}.after.bin", name))), 1e-5) << name;
    }
  }
}

}  // namespace
}  // namespace vise
