#include "probes/attentive.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/half.h"
#include "base/module.h"
#include "base/random.h"
#include "probes/evaluate.h"
#include "tests/torch_module.h"
#include "tests/unit/probes/drawn.h"
#include "tests/unit/probes/registry.h"

namespace vise::probes {
namespace {

constexpr std::size_t kTokens = 16, kChannels = 8;

// Images whose class one token shows, marked by the last channel; the others are noise whose mean hides it.
struct Images {
  Images(std::size_t count, std::uint64_t seed) {
    RandomStream random("attentive-unit-test", seed);
    std::vector<float> values(count * kTokens * kChannels);
    for (float& v : values) v = static_cast<float>(3 * random.normal());
    for (std::size_t i = 0; i < count; ++i) {
      labels.push_back(static_cast<int>(i % 2));
      float* const image = values.data() + i * kTokens * kChannels;
      for (std::size_t t = 0; t < kTokens; ++t) image[t * kChannels + kChannels - 1] = 0;
      float* const token = image + random.below(kTokens) * kChannels;
      token[kChannels - 1] = 10;
      token[0] = labels.back() == 0 ? -2.0F : 2.0F;
    }
    halves.resize(values.size());
    narrow(values, halves);
    rows.resize(count);
    std::iota(rows.begin(), rows.end(), 0U);
    targets = datasets::Targets::from_classes(labels, {"left", "right"});
  }
  FeatureRows view() const { return {halves.data(), kTokens * kChannels, kTokens, rows}; }
  TrainView train() const { return {view(), targets, {}}; }
  // A row for each image, of the mean over its tokens.
  test::Drawn means() const {
    test::Drawn drawn;
    drawn.dim = kChannels;
    std::vector<float> values(halves.size());
    widen(halves, values);
    drawn.features.resize(rows.size() * kChannels);
    for (std::size_t i = 0; i < values.size(); ++i)
      drawn.features[i / (kTokens * kChannels) * kChannels + i % kChannels] += values[i] / kTokens;
    drawn.rows = rows;
    drawn.targets = targets;
    return drawn;
  }

  std::vector<int> labels;
  std::vector<std::uint16_t> halves;
  std::vector<std::uint32_t> rows;
  datasets::Targets targets;
};

std::unique_ptr<Probe> attentive(std::map<std::string, std::string> options, std::uint64_t seed = 0) {
  return test::registry().make("attentive", {std::move(options), seed});
}

std::vector<double> scores_of(const Images& images, const std::map<std::string, std::string>& options,
                              std::uint64_t seed, int threads) {
  return attentive(options, seed)
      ->fit(images.train(), nullptr, Context{test::silent(), {}, threads})
      .model->predict(images.view())
      .values;
}

TEST(Attentive, FindsTheTokenThatTheMeanHides) {
  if (!test::have_torch()) GTEST_SKIP() << "skipped: built without LibTorch";
  const Images train(240, 1), val(80, 2), test(200, 3);
  const ValView val_view{val.view(), val.targets};
  const Fitted fitted = attentive({{"heads", "2"}})->fit(train.train(), &val_view, Context{test::silent()});
  EXPECT_GT(*evaluate(fitted.model->predict(test.view()), test.targets).at("accuracy"), 0.95);
  EXPECT_EQ(fitted.selection.curve.size(), 12u);
  EXPECT_EQ(fitted.val_scores->rows, 80u);
  const test::Drawn means = train.means(), test_means = test.means();
  const auto linear =
      test::registry().make("logreg", {{{"C", "1"}}, 0})->fit(means.train(), nullptr, Context{test::silent()});
  EXPECT_LT(*evaluate(linear.model->predict(test_means.view()), test.targets).at("accuracy"), 0.8);
}

TEST(Attentive, GivesTheSameBitsForASeedWhateverTheThreads) {
  if (!test::have_torch()) GTEST_SKIP() << "skipped: built without LibTorch";
  const Images images(70, 1);
  const std::map<std::string, std::string> options{{"epochs", "6"}, {"warmup", "1"}, {"heads", "4"},
                                                   {"batch", "16"}, {"lr", "0.01"},  {"weight-decay", "0.1"}};
  const std::vector<double> once = scores_of(images, options, 1, 1);
  EXPECT_EQ(scores_of(images, options, 1, 1), once);
  EXPECT_EQ(scores_of(images, options, 1, 2), once);
  EXPECT_EQ(scores_of(images, options, 1, 3), once);
  EXPECT_NE(scores_of(images, options, 2, 1), once);
}

TEST(Attentive, FitsValuesAndDistributions) {
  if (!test::have_torch()) GTEST_SKIP() << "skipped: built without LibTorch";
  const Images images(160, 4);
  std::vector<double> values, votes;
  for (const int label : images.labels) {
    values.push_back(2.0 * label - 1);
    votes.insert(votes.end(), {label == 0 ? 3.0 : 1.0, label == 0 ? 1.0 : 3.0});
  }
  const auto fit = [&](const datasets::Targets& targets) {
    const Fitted fitted = attentive({{"lr", "0.003"}, {"weight-decay", "0.01"}})
                              ->fit({images.view(), targets, {}}, nullptr, Context{test::silent()});
    return evaluate(fitted.model->predict(images.view()), targets);
  };
  EXPECT_GT(*fit(datasets::Targets::from_values(values, {"score"})).at("r2"), 0.9);
  EXPECT_LT(*fit(datasets::Targets::from_distribution(votes, {"a", "b"})).at("kl"), 0.1);
}

TEST(Attentive, RefusesWhatIsNoTokens) {
  const test::Drawn pooled = test::draw(20, 4, 2, 1, 1);
  try {
    attentive({})->fit(pooled.train(), nullptr, Context{test::silent()});
    FAIL() << "fitted pooled rows";
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::usage);
    EXPECT_NE(e.message().find("these rows are pooled"), std::string::npos);
    EXPECT_NE(e.hint().find("floors"), std::string::npos);
  }
}

TEST(Attentive, RefusesHeadsThatDoNotDivideTheChannels) {
  const Images images(20, 1);
  EXPECT_THROW(attentive({{"heads", "3"}})->fit(images.train(), nullptr, Context{test::silent()}), Error);
  EXPECT_THROW(attentive({{"heads", "0"}}), Error);
}

TEST(Attentive, NamesTheRowOfTokensThatAreNoNumbers) {
  Images images(20, 1);
  images.halves[7 * kTokens * kChannels + 3] = 0x7e00;  // not a number
  try {
    attentive({})->fit(images.train(), nullptr, Context{test::silent()});
    FAIL() << "fitted no numbers";
  } catch (const Error& e) {
    EXPECT_NE(e.message().find("train row 7"), std::string::npos) << e.message();
  }
}

TEST(Attentive, SaysThatItDivergedWhereARateIsTooLarge) {
  AttentiveParameters parameters{{1, NAN}, {1, 0, 0, 1}, {1, 0, 0, 1}, {1, 1}, {0}, 0};
  EXPECT_EQ(attentive_model(parameters, {{0, 0}, {1, 1}}, 1), nullptr);
  parameters.query = {1, 1};
  EXPECT_NE(attentive_model(parameters, {{0, 0}, {1, 1}}, 1), nullptr);
}

}  // namespace
}  // namespace vise::probes
