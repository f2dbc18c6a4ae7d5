#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "base/module.h"
#include "probes/evaluate.h"
#include "probes/probe.h"
#include "tests/unit/probes/drawn.h"
#include "tests/unit/probes/registry.h"

namespace vise::probes {
namespace {

bool have_module() {
  try {
    Module::torch();
    return true;
  } catch (const Error&) {
    return false;
  }
}

#define VISE_NEEDS_TORCH() \
  if (!have_module()) GTEST_SKIP() << "skipped: built without the LibTorch module"

TEST(Head, LearnsWhatClassesShow) {
  VISE_NEEDS_TORCH();
  const test::Drawn t = test::draw(200, 8, 3, 0.4, 1), v = test::draw(60, 8, 3, 0.4, 1, 1);
  const ValView val = v.val();
  const auto probe = test::registry().make("head", {{{"epochs", "30"}, {"warmup", "2"}}, 0});
  const Fitted fitted = probe->fit(t.train(), &val, Context{test::silent()});
  EXPECT_GT(*evaluate(fitted.model->predict(v.view()), v.targets).at("accuracy"), 0.9);
  EXPECT_EQ(fitted.selection.curve.size(), 16u);
  EXPECT_TRUE(fitted.selection.chosen.contains("weight_decay"));
}

TEST(Head, GivesTheSameWeightsForTheSameSeed) {
  VISE_NEEDS_TORCH();
  const test::Drawn t = test::draw(100, 5, 2, 1, 1);
  const auto fit = [&](std::uint64_t seed) {
    const auto probe =
        test::registry().make("head", {{{"epochs", "5"}, {"warmup", "1"}, {"lr", "0.1"}, {"batch", "16"}}, seed});
    return probe->fit(t.train(), nullptr, Context{test::silent()}).model->weights();
  };
  EXPECT_EQ(fit(1), fit(1));
  EXPECT_NE(fit(1), fit(2));
}

TEST(Head, FitsValuesAndDistributions) {
  VISE_NEEDS_TORCH();
  const test::Drawn t = test::draw(200, 4, 2, 1, 1);
  std::vector<double> y, votes;
  for (std::size_t i = 0; i < 200; ++i) {
    y.push_back(static_cast<double>(t.features[4 * i]) + 0.5);
    votes.insert(votes.end(), {t.labels[i] == 0 ? 3.0 : 1.0, t.labels[i] == 0 ? 1.0 : 3.0});
  }
  const auto probe = test::registry().make("head", {{{"epochs", "60"}, {"lr", "0.05"}, {"weight-decay", "0"}}, 0});
  const datasets::Targets values = datasets::Targets::from_values(y, {"score"}),
                          shares = datasets::Targets::from_distribution(votes, {"a", "b"});
  const Fitted by_value = probe->fit({t.view(), values, {}}, nullptr, Context{test::silent()});
  EXPECT_GT(*evaluate(by_value.model->predict(t.view()), values).at("r2"), 0.95);
  const Fitted by_share = probe->fit({t.view(), shares, {}}, nullptr, Context{test::silent()});
  EXPECT_LT(*evaluate(by_share.model->predict(t.view()), shares).at("kl"), 0.1);
}

TEST(Head, RunToConvergenceReachesTheOptimumOfLogReg) {
  VISE_NEEDS_TORCH();
  // mean loss + decay/2 ||W||^2 is 1/N of sum of losses + ||W||^2/(2 C) where decay = 1/(C N).
  constexpr std::size_t kRows = 120;
  constexpr double kC = 0.5;
  const test::Drawn t = test::draw(kRows, 8, 3, 1.5, 6);
  const auto head = test::registry().make("head", {{{"lr", "0.05"},
                                                    {"weight-decay", fmt::format("{:.17g}", 1 / (kC * kRows))},
                                                    {"batch", std::to_string(kRows)},
                                                    {"epochs", "3000"},
                                                    {"warmup", "0"},
                                                    {"schedule", "constant"}},
                                                   0});
  const auto logreg = test::registry().make("logreg", {{{"C", fmt::format("{}", kC)}}, 0});
  const Fitted trained = head->fit(t.train(), nullptr, Context{test::silent()});
  const Fitted optimum = logreg->fit(t.train(), nullptr, Context{test::silent()});
  const Scores z = trained.model->predict(t.view());
  double objective = 0;
  for (const double w : trained.model->weights()) objective += w * w / (2 * kC);
  for (std::size_t i = 0; i < kRows; ++i) {
    double sum = 0;
    for (std::size_t k = 0; k < 3; ++k) sum += std::exp(z(i, k) - z(i, static_cast<std::size_t>(t.labels[i])));
    objective += std::log(sum);
  }
  EXPECT_GE(objective, optimum.convergence.objective * (1 - 1e-12));
  EXPECT_NEAR(objective, optimum.convergence.objective, 1e-6 * objective);
  EXPECT_LT(trained.convergence.gradient_norm, 1e-4);
}

TEST(Head, RefusesADeviceThatIsNotThere) {
  VISE_NEEDS_TORCH();
  const test::Drawn t = test::draw(50, 4, 2, 1, 1);
  const auto probe = test::registry().make("head", {{{"device", "abacus"}, {"lr", "1"}}, 0});
  EXPECT_THROW(probe->fit(t.train(), nullptr, Context{test::silent()}), Error);
}

}  // namespace
}  // namespace vise::probes
