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
using Options = std::map<std::string, std::string>;

Fitted fit(const std::string& name, const Options& options, const TrainView& train, const ValView* val = nullptr,
           int threads = 1) {
  return registry().make(name, {options, 0})->fit(train, val, Context{test::silent(), {}, threads});
}

// The largest difference of two vectors.
double distance(const std::vector<double>& a, const std::vector<double>& b) {
  EXPECT_EQ(a.size(), b.size());
  double largest = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

// The derivative of the stated objective at the model, by its definition: X'(p - y) + W / C, and the sum of p - y.
double largest_gradient(const ProbeModel& model, const test::Drawn& d, double c) {
  const Scores z = model.predict(d.view());
  const std::vector<double> w = model.weights();
  double largest = 0;
  for (std::size_t k = 0; k < z.columns; ++k) {
    std::vector<double> g(d.dim + 1);
    for (std::size_t j = 0; j < d.dim; ++j) g[j] = w[k * d.dim + j] / c;
    for (std::size_t i = 0; i < z.rows; ++i) {
      double sum = 0;
      for (std::size_t l = 0; l < z.columns; ++l) sum += std::exp(z(i, l) - z(i, k));
      const double off = 1 / sum - (d.labels[i] == static_cast<int>(k));
      for (std::size_t j = 0; j < d.dim; ++j) g[j] += off * static_cast<double>(d.features[i * d.dim + j]);
      g[d.dim] += off;
    }
    for (const double v : g) largest = std::max(largest, std::abs(v));
  }
  return largest;
}

TEST(LogReg, EndsWhereTheGradientOfItsObjectiveIsZero) {
  const test::Drawn few = test::draw(60, 100, 4, 2, 1), many = test::draw(900, 30, 4, 2, 2);
  for (const double c : {1e-3, 1.0, 1e3}) {
    const Options options{{"C", std::to_string(c)}};
    const Fitted rotated = fit("logreg", options, few.train()), plain = fit("logreg", options, many.train());
    EXPECT_TRUE(rotated.convergence.converged && plain.convergence.converged);
    EXPECT_LT(largest_gradient(*rotated.model, few, c), 1e-8);
    EXPECT_LT(largest_gradient(*plain.model, many, c), 1e-8);
  }
}

// 1,024 dimensions: rows are spread apart, the preconditioner's factor is made tile by tile, and the finish goes by
// conjugate gradients.
TEST(LogReg, EndsThereToTheSameBitOnAnyThreadsWhereTheHessianIsTooLargeToForm) {
  const test::Drawn d = test::draw(1100, 1024, 3, 2, 3);
  const TrainView train{d.view(), d.targets, d.folds};
  const auto swept = [&](int threads) { return fit("logreg", {{"grid", "1e-3:1e-1:3"}}, train, nullptr, threads); };
  const Fitted one = swept(1), two = swept(2);
  EXPECT_TRUE(one.convergence.converged);
  EXPECT_LT(largest_gradient(*one.model, d, one.selection.chosen.at("C")), 1e-4);
  EXPECT_EQ(one.model->weights(), two.model->weights());
}

TEST(LogReg, GivesTheSameBitsForAnyNumberOfThreads) {
  const test::Drawn t = test::draw(5000, 12, 3, 2, 1), v = test::draw(1500, 12, 3, 2, 1, 1);
  const ValView val = v.val();
  const Options options{{"grid", "1e-4:1e4:9"}};
  const Fitted one = fit("logreg", options, t.train(), &val, 1), four = fit("logreg", options, t.train(), &val, 4);
  EXPECT_EQ(one.model->weights(), four.model->weights());
  EXPECT_EQ(one.model->intercepts(), four.model->intercepts());
  EXPECT_EQ(one.selection.chosen, four.selection.chosen);
  EXPECT_EQ(one.convergence.objective, four.convergence.objective);
}

TEST(LogReg, CountsARepeatedRowTwice) {
  // Every row twice at C is every row once at 2 C. The rows' Gram matrix is then singular, which takes another path.
  const test::Drawn once = test::draw(30, 80, 3, 2, 4);
  test::Drawn twice = once;
  twice.rows.insert(twice.rows.end(), once.rows.begin(), once.rows.end());
  twice.labels.insert(twice.labels.end(), once.labels.begin(), once.labels.end());
  twice.targets = datasets::Targets::from_classes(twice.labels, once.targets.names());
  const Fitted a = fit("logreg", {{"C", "0.5"}}, twice.train()), b = fit("logreg", {{"C", "1"}}, once.train());
  EXPECT_LT(distance(a.model->weights(), b.model->weights()), 1e-8);
}

TEST(LogReg, OneVsRestIsOneTwoClassFitAClass) {
  const test::Drawn t = test::draw(200, 10, 3, 2, 5);
  const Fitted all = fit("logreg", {{"C", "2"}, {"multi", "one-vs-rest"}}, t.train());
  std::vector<int> bits;
  for (const int label : t.labels) bits.push_back(label == 1);
  const datasets::Targets one = datasets::Targets::from_classes(bits, {"rest", "one"});
  const std::vector<double> w = fit("logreg", {{"C", "2"}}, {t.view(), one, {}}).model->weights(),
                            all_w = all.model->weights();
  for (std::size_t d = 0; d < 10; ++d) EXPECT_NEAR(all_w[10 + d], w[10 + d] - w[d], 1e-8);
}

TEST(LogReg, AgreesWithLibLinearWhereTheBiasIsHardlyRegularised) {
  // A column of 300 makes LIBLINEAR's penalty on the bias 1 / 90,000 of what it is on a weight.
  test::Drawn t = test::draw(150, 8, 3, 1.5, 6), wide = t;
  wide.dim = 9;
  wide.features.clear();
  for (std::size_t i = 0; i < 150; ++i) {
    wide.features.insert(wide.features.end(), t.features.begin() + static_cast<long>(8 * i),
                         t.features.begin() + static_cast<long>(8 * i + 8));
    wide.features.push_back(300);
  }
  const Fitted ours = fit("logreg", {{"C", "1"}, {"multi", "one-vs-rest"}}, t.train());
  const Fitted theirs = fit("liblinear", {{"C", "1"}, {"eps", "1e-10"}}, wide.train());
  const Scores a = ours.model->predict(t.view()), b = theirs.model->predict(wide.view());
  EXPECT_LT(distance(a.values, b.values), 1e-3);
  for (std::size_t i = 0; i < a.rows; ++i) {
    const auto best = [&](const Scores& s) {
      return std::max_element(&s.values[3 * i], &s.values[3 * i] + 3) - &s.values[3 * i];
    };
    EXPECT_EQ(best(a), best(b));
  }
  // LIBLINEAR's point under our objective: above the optimum, by less than 1e-6 of it.
  const std::vector<double> w = theirs.model->weights();
  double objective = 0;
  for (std::size_t k = 0; k < 3; ++k) {
    for (std::size_t d = 0; d < 8; ++d) objective += w[k * 9 + d] * w[k * 9 + d] / 2;
    for (std::size_t i = 0; i < 150; ++i)
      objective += std::log1p(std::exp((t.labels[i] == static_cast<int>(k) ? -1 : 1) * b(i, k)));
  }
  EXPECT_GE(objective, ours.convergence.objective * (1 - 1e-12));
  EXPECT_NEAR(objective, ours.convergence.objective, 1e-6 * objective);
}

TEST(LogReg, LeavesUnknownLabelsOut) {
  const test::Drawn t = test::draw(120, 6, 2, 1.5, 7);
  std::vector<std::int8_t> bits;
  test::Drawn known = t;
  known.rows.clear();
  known.labels.clear();
  for (std::size_t i = 0; i < 120; ++i) {
    const bool unknown = i % 5 == 0;
    bits.push_back(unknown ? -1 : static_cast<std::int8_t>(t.labels[i]));
    bits.push_back(static_cast<std::int8_t>(i % 2));
    if (unknown) continue;
    known.rows.push_back(static_cast<std::uint32_t>(i));
    known.labels.push_back(t.labels[i]);
  }
  known.targets = datasets::Targets::from_classes(known.labels, {"no", "yes"});
  const datasets::Targets labels = datasets::Targets::from_multi_label(bits, {"a", "b"});
  const std::vector<double> w = fit("logreg", {{"C", "1"}}, {t.view(), labels, {}}).model->weights();
  const std::vector<double> want = fit("logreg", {{"C", "1"}}, known.train()).model->weights();
  for (std::size_t d = 0; d < 6; ++d) EXPECT_NEAR(w[d], want[6 + d] - want[d], 1e-8);
}

TEST(LogReg, FitsADistributionOfOnesAndZerosAsClasses) {
  const test::Drawn t = test::draw(150, 6, 3, 1.5, 8);
  std::vector<double> votes(450);
  for (std::size_t i = 0; i < 150; ++i) votes[3 * i + static_cast<std::size_t>(t.labels[i])] = 4;  // not normalised
  const datasets::Targets shares = datasets::Targets::from_distribution(votes, {"a", "b", "c"});
  const Fitted by_votes = fit("logreg", {{"C", "1"}}, {t.view(), shares, {}});
  EXPECT_LT(distance(by_votes.model->weights(), fit("logreg", {{"C", "1"}}, t.train()).model->weights()), 1e-8);
}

TEST(LogReg, ChoosesOnValAndRefitsOnBoth) {
  const test::Drawn t = test::draw(200, 20, 3, 2.5, 9), v = test::draw(80, 20, 3, 2.5, 9, 1);
  const ValView val = v.val();
  const Fitted f = fit("logreg", {}, t.train(), &val);
  EXPECT_EQ(f.selection.curve.size(), 13u);
  EXPECT_TRUE(f.selection.refit_on_val);
  ASSERT_TRUE(f.val_scores.has_value());
  // The curve's best value is the accuracy of the candidate's own scores on val, fitted on train alone.
  double best = 0;
  for (const Candidate& c : f.selection.curve) best = std::max(best, c.score);
  EXPECT_EQ(*evaluate(*f.val_scores, v.targets).at("accuracy"), best);
  const Options chosen{{"C", Json(f.selection.chosen.at("C")).dump()}};
  EXPECT_EQ(*evaluate(fit("logreg", chosen, t.train()).model->predict(v.view()), v.targets).at("accuracy"), best);
}

TEST(LogReg, SearchesFromCoarseToFine) {
  const test::Drawn t = test::draw(120, 30, 3, 3.5, 21), v = test::draw(90, 30, 3, 3.5, 21, 1);
  const ValView val = v.val();
  // The two come to a C from different sides: a stop so sharp that no row on the boundary falls either way.
  const auto selection = [&](const char* grid) {
    return fit("logreg", {{"grid", grid}, {"sweep-stop", "1e-10"}}, t.train(), &val).selection;
  };
  const Selection whole = selection("1e-6:1e6:97"), search = selection("coarse-to-fine");
  EXPECT_EQ(search.curve.size(), 19u);
  double best = 0, chosen = 0;
  for (const Candidate& found : search.curve) {
    const auto same = std::find_if(whole.curve.begin(), whole.curve.end(),
                                   [&](const Candidate& other) { return other.parameters == found.parameters; });
    ASSERT_NE(same, whole.curve.end());
    EXPECT_EQ(found.score, same->score) << found.parameters->at("C");
    best = std::max(best, found.score);
    if (found.parameters == search.chosen) chosen = found.score;
  }
  EXPECT_EQ(chosen, best);
  EXPECT_FALSE(search.on_edge);
}

TEST(LogReg, WeighsClassesAlikeWhenBalanced) {
  // Two classes, 3 to 1: rows of the rarer count three times as much, whatever C.
  test::Drawn t = test::draw(160, 5, 2, 2, 10);
  for (std::size_t i = 0; i < 160; ++i) t.labels[i] = i % 4 == 0;
  t.targets = datasets::Targets::from_classes(t.labels, {"a", "b"});
  const Scores z = fit("logreg", {{"C", "1"}, {"class-weight", "balanced"}}, t.train()).model->predict(t.view());
  double sum = 0;  // the free intercept's derivative
  for (std::size_t i = 0; i < 160; ++i) {
    const double p = 1 / (1 + std::exp(z(i, 0) - z(i, 1)));
    sum += (t.labels[i] ? 2.0 : 2.0 / 3) * (p - t.labels[i]);
  }
  EXPECT_NEAR(sum, 0, 1e-8);
}

TEST(LogReg, StopsWhenAsked) {
  const test::Drawn t = test::draw(100, 5, 2, 2, 11);
  std::stop_source source;
  source.request_stop();
  const Context context{test::silent(), source.get_token(), 1};
  EXPECT_THROW(registry().make("logreg", {})->fit(t.train(), nullptr, context), Error);
}

}  // namespace
}  // namespace vise::probes
