#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "base/error.h"
#include "base/text.h"
#include "probes/evaluate.h"
#include "probes/probe.h"
#include "tests/shared.h"
#include "tests/unit/probes/drawn.h"
#include "tests/unit/probes/registry.h"

namespace vise::probes {
namespace {

using test::registry;

std::string row_text(const test::Drawn& d, std::size_t i) {
  std::string line = std::to_string(d.labels[i]);
  for (std::size_t j = 0; j < d.dim; ++j) {
    const auto x = static_cast<double>(d.features[i * d.dim + j]);
    if (x != 0) line += " " + std::to_string(j + 1) + ":" + number(x);
  }
  return line + "\n";
}

// The model file that Debian's own program writes: label order, then a row of weights a feature, the bias last.
struct ProgramModel {
  std::vector<int> labels;
  std::vector<double> weights;
};

ProgramModel train_with_program(const test::Drawn& d, const std::string& arguments) {
  const test::ScratchDir scratch;
  std::ofstream data(scratch / "data");
  for (std::size_t i = 0; i < d.labels.size(); ++i) data << row_text(d, i);
  data.close();
  const std::string command =
      "liblinear-train -q -B 1 " + arguments + " " + (scratch / "data").string() + " " + (scratch / "model").string();
  EXPECT_EQ(std::system(command.c_str()), 0);
  std::ifstream in(scratch / "model");
  ProgramModel model;
  for (std::string word; in >> word && word != "w";) {
    if (word != "label") continue;
    std::string line;
    std::getline(in, line);
    std::istringstream labels(line);
    for (int label; labels >> label;) model.labels.push_back(label);
  }
  for (double w; in >> w;) model.weights.push_back(w);
  return model;
}

class LibLinearSolver : public testing::TestWithParam<const char*> {};

// The program prints 17 digits ("%.17g"), so equal means equal.
TEST_P(LibLinearSolver, EqualsTheTrainProgramToTheLastDigit) {
  if (std::system("command -v liblinear-train >/dev/null 2>&1") != 0)
    GTEST_SKIP() << "skipped: liblinear-tools is not installed";
  const test::Drawn d = test::draw(120, 10, 4, 1.0, 7);
  const ProgramModel want = train_with_program(d, std::string("-c 0.5 -s ") + GetParam());
  const auto probe = registry().make("liblinear", {{{"solver", GetParam()}, {"C", "0.5"}}, 0});
  const Fitted fitted = probe->fit(d.train(), nullptr, Context{test::silent()});
  const std::vector<double> weights = fitted.model->weights(), intercepts = fitted.model->intercepts();
  ASSERT_EQ(want.labels.size(), 4u);
  ASSERT_EQ(want.weights.size(), 4 * (d.dim + 1));
  for (std::size_t v = 0; v < 4; ++v) {
    const auto k = static_cast<std::size_t>(want.labels[v]);
    for (std::size_t j = 0; j < d.dim; ++j) EXPECT_EQ(weights[k * d.dim + j], want.weights[j * 4 + v]);
    EXPECT_EQ(intercepts[k], want.weights[d.dim * 4 + v]);
  }
}

INSTANTIATE_TEST_SUITE_P(All, LibLinearSolver, testing::Values("0", "1", "2", "4", "5", "7"));

TEST(LibLinear, TwoClassesGiveTheLogOddsOfTheSecond) {
  const test::Drawn d = test::draw(60, 5, 2, 0.5, 3);
  const Fitted fitted =
      registry().make("liblinear", {{{"C", "1"}}, 0})->fit(d.train(), nullptr, Context{test::silent()});
  const Scores scores = fitted.model->predict(d.view());
  EXPECT_EQ(scores.columns, 2u);
  EXPECT_GT(*evaluate(scores, d.targets).at("accuracy"), 0.9);
  EXPECT_EQ(scores(0, 0), -scores(0, 1));
}

TEST(LibLinear, ChoosesTheSameWhateverTheThreads) {
  const test::Drawn d = test::draw(150, 8, 3, 1.5, 11), v = test::draw(60, 8, 3, 1.5, 11, 1);
  const ValView val = v.val();
  const auto probe = registry().make("liblinear", {{{"solver", "1"}}, 0});
  const Fitted one = probe->fit(d.train(), &val, Context{test::silent(), {}, 1});
  const Fitted many = probe->fit(d.train(), &val, Context{test::silent(), {}, 4});
  EXPECT_EQ(one.selection.chosen, many.selection.chosen);
  EXPECT_EQ(one.model->weights(), many.model->weights());
  EXPECT_EQ(one.selection.curve.size(), 11u);
  EXPECT_TRUE(one.selection.refit_on_val);
}

TEST(LibLinear, GivesEachClassTheCOfItsOwnBestAveragePrecision) {
  const test::Drawn t = test::draw(120, 6, 4, 1.5, 8);
  const auto fit = [&](std::map<std::string, std::string> options) {
    options["preset"] = "vissl-svm";
    return registry().make("liblinear", {options, 0})->fit(t.train(), nullptr, Context{test::silent()});
  };
  const Fitted fitted = fit({});
  ASSERT_EQ(fitted.selection.chosen.size(), 4u);
  EXPECT_EQ(fitted.selection.selected_on, "3-fold cross-validation on train, a C a class");
  // Class k's classifier is the one that a fit at its C alone gives.
  const Scores scores = fitted.model->predict(t.view());
  for (std::size_t k = 0; k < 4; ++k) {
    const double c = fitted.selection.chosen.at("C:class" + std::to_string(k));
    const Fitted alone = fit({{"C", fmt::format("{:.17g}", c)}});
    const Scores expected = alone.model->predict(t.view());
    for (std::size_t i = 0; i < scores.rows; ++i) ASSERT_EQ(scores(i, k), expected(i, k));
  }
}

TEST(LibLinear, FitsValuesWithItsRegressionSolvers) {
  test::Drawn d = test::draw(80, 4, 2, 1.0, 5);
  std::vector<double> y;
  for (std::size_t i = 0; i < 80; ++i)
    y.push_back(2.0 * static_cast<double>(d.features[i * 4]) - static_cast<double>(d.features[i * 4 + 2]) + 1);
  const datasets::Targets values = datasets::Targets::from_values(y, {"score"});
  const TrainView train{d.view(), values, {}};
  for (const char* solver : {"11", "12", "13"}) {
    const Fitted fitted = registry()
                              .make("liblinear", {{{"solver", solver}, {"C", "10"}, {"p", "0"}, {"eps", "1e-6"}}, 0})
                              ->fit(train, nullptr, Context{test::silent()});
    EXPECT_GT(*evaluate(fitted.model->predict(d.view()), values).at("r2"), 0.99) << solver;
  }
  EXPECT_THROW(registry().make("liblinear", {})->fit(train, nullptr, Context{test::silent()}), Error);
}

TEST(ProbeRegistry, SuggestsTheNearestProbeAndOption) {
  try {
    registry().make("libliner", {});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::usage);
    EXPECT_NE(e.hint().find("'liblinear'"), std::string::npos);
  }
  try {
    registry().make("liblinear", {{{"solvr", "1"}}, 0});
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(e.hint().find("'solver'"), std::string::npos);
  }
}

}  // namespace
}  // namespace vise::probes
