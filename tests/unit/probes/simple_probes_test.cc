#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "probes/evaluate.h"
#include "probes/probe.h"
#include "tests/unit/probes/drawn.h"
#include "tests/unit/probes/registry.h"

namespace vise::probes {
namespace {

using test::registry;

Fitted fit(const std::string& name, const std::map<std::string, std::string>& options, const TrainView& train,
           const ValView* val = nullptr) {
  return registry().make(name, {options, 0})->fit(train, val, Context{test::silent()});
}

TEST(Ridge, SolvesTheNormalEquations) {
  for (const std::size_t dim : {5u, 90u}) {  // more rows than dimensions, and fewer
    const test::Drawn t = test::draw(60, dim, 2, 1, 1);
    std::vector<double> y;
    for (std::size_t i = 0; i < 60; ++i) y.push_back(std::sin(static_cast<double>(i)));
    const datasets::Targets values = datasets::Targets::from_values(y, {"v"});
    const Fitted f = fit("ridge", {{"lambda", "3"}}, {t.view(), values, {}});
    const Scores z = f.model->predict(t.view());
    const std::vector<double> w = f.model->weights();
    double sum = 0;
    for (std::size_t i = 0; i < 60; ++i) sum += z(i, 0) - y[i];
    EXPECT_NEAR(sum, 0, 1e-8);
    for (std::size_t d = 0; d < dim; ++d) {
      double g = 3 * w[d];
      for (std::size_t i = 0; i < 60; ++i) g += (z(i, 0) - y[i]) * static_cast<double>(t.features[i * dim + d]);
      EXPECT_NEAR(g, 0, 1e-8);
    }
    EXPECT_LT(f.convergence.gradient_norm, 1e-8);
  }
}

TEST(Ridge, GivesTiesToTheLargestPenalty) {
  const test::Drawn t = test::draw(60, 5, 2, 0.1, 1), v = test::draw(30, 5, 2, 0.1, 1, 1);
  const ValView val = v.val();
  const Fitted f = fit("ridge", {{"grid", "0.1,1,10"}}, t.train(), &val);
  EXPECT_EQ(f.selection.chosen.at("lambda"), 10);
}

TEST(Knn, SumsTheWeightsOfTheNearest) {
  // Similarities to (1, 0): 1, 0.8, 0.6, 0.
  const std::vector<float> x{2, 0, 4, 3, 3, 4, 0, 1};
  const std::vector<std::uint32_t> rows{0, 1, 2, 3}, asked{0};
  const datasets::Targets targets = datasets::Targets::from_classes({0, 1, 1, 0}, {"a", "b"});
  const Fitted f =
      fit("knn", {{"k", "3"}, {"temperature", "0.5"}, {"largest", "4"}}, {FeatureRows(x.data(), 2, rows), targets, {}});
  const Scores z = f.model->predict(FeatureRows(x.data(), 2, asked));
  const double total = std::exp(2.0) + std::exp(1.6) + std::exp(1.2) + 1;
  EXPECT_NEAR(z(0, 0), std::log(std::exp(2.0) / total), 1e-6);
  EXPECT_NEAR(z(0, 1), std::log((std::exp(1.6) + std::exp(1.2)) / total), 1e-6);
}

TEST(Knn, ChoosesKOnVal) {
  const test::Drawn t = test::draw(300, 8, 3, 0.5, 1), v = test::draw(60, 8, 3, 0.5, 1, 1);
  const ValView val = v.val();
  const Fitted f = fit("knn", {}, t.train(), &val);
  EXPECT_EQ(f.selection.curve.size(), 4u);
  EXPECT_GT(*evaluate(f.model->predict(v.view()), v.targets).at("accuracy"), 0.9);
}

TEST(PermutedLabels, ScoreAsChanceDoes) {
  const test::Drawn t = test::draw(400, 6, 2, 0.3, 1), v = test::draw(200, 6, 2, 0.3, 1, 1);
  const ValView val = v.val();
  EXPECT_GT(*evaluate(fit("logreg", {}, t.train(), &val).model->predict(v.view()), v.targets).at("accuracy"), 0.9);
  const Fitted control = fit("permuted-labels", {}, t.train(), &val);
  EXPECT_LT(*evaluate(control.model->predict(v.view()), v.targets).at("auc"), 0.9);
  EXPECT_LT(*evaluate(*control.val_scores, v.targets).at("accuracy"), 0.8);
}

TEST(Floors, SayWhatTrainSays) {
  const test::Drawn t = test::draw(10, 2, 2, 1, 1);
  const datasets::Targets targets = datasets::Targets::from_classes({0, 1, 1, 1, 0, 1, 1, 1, 1, 1}, {"a", "b"});
  const TrainView train{t.view(), targets, {}};
  EXPECT_EQ(*evaluate(fit("majority", {}, train).model->predict(t.view()), targets).at("accuracy"), 0.8);
  const Scores prior = fit("prior", {}, train).model->predict(t.view());
  EXPECT_NEAR(prior(3, 1) - prior(3, 0), std::log(4.0), 1e-12);
}

}  // namespace
}  // namespace vise::probes
