#include "probes/selection.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/random.h"
#include "probes/evaluate.h"
#include "probes/nested.h"
#include "probes/options.h"
#include "tests/unit/probes/drawn.h"
#include "tests/unit/probes/registry.h"

namespace vise::probes {
namespace {

// Scores whose first `right` rows are right.
Scores scores_with(const datasets::Targets& targets, std::size_t right) {
  Scores s{targets.size(), targets.width(), std::vector<double>(targets.size() * targets.width())};
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const auto truth = static_cast<std::size_t>(targets.classes()[i]);
    s.values[i * s.columns + (i < right ? truth : (truth + 1) % s.columns)] = 1;
  }
  return s;
}

TEST(Selection, GivesTiesToTheStrongerRegularisation) {
  const test::Drawn t = test::draw(30, 3, 2, 1, 1), v = test::draw(10, 3, 2, 1, 1, 1);
  const ValView val = v.val();
  const Pool pool = make_pool(t.train(), &val);
  Selector selector(pool, "accuracy", candidates_of("C", {0.1, 1, 10}));
  ASSERT_TRUE(selector.needed());
  selector.record(0, 0, scores_with(v.targets, 5));
  selector.record(1, 0, scores_with(v.targets, 7));
  selector.record(2, 0, scores_with(v.targets, 7));
  EXPECT_EQ(selector.best(), 1u);
  const Selection s = selector.selection(1);
  EXPECT_EQ(s.selected_on, "val (10 rows)");
  EXPECT_FALSE(s.on_edge);
  EXPECT_TRUE(s.refit_on_val);
  EXPECT_EQ(s.curve[1].score, 0.7);
  EXPECT_TRUE(selector.selection(2).on_edge);
}

TEST(Selection, AveragesFoldsWhenThereIsNoVal) {
  const test::Drawn t = test::draw(30, 3, 2, 1, 1);
  const TrainView train{t.view(), t.targets, t.folds};
  const Pool pool = make_pool(train, nullptr);
  ASSERT_EQ(pool.folds.size(), 3u);
  EXPECT_EQ(pool.folds[1].score.size(), 10u);
  EXPECT_EQ(pool.folds[1].fit.size(), 20u);
  Selector selector(pool, "accuracy", candidates_of("C", {1, 10}));
  for (std::size_t r = 0; r < 3; ++r) {
    const datasets::Targets held_out = pool.targets.select(pool.folds[r].score);
    selector.record(0, r, scores_with(held_out, 4));
    selector.record(1, r, scores_with(held_out, 4 + r));
  }
  EXPECT_EQ(selector.best(), 1u);
  EXPECT_NEAR(selector.selection(1).curve[1].score, 0.5, 1e-15);
}

TEST(Selection, ChoosesNothingWithoutValOrFolds) {
  const test::Drawn t = test::draw(30, 3, 2, 1, 1);
  const Pool pool = make_pool(t.train(), nullptr);
  Selector selector(pool, "accuracy", candidates_of("C", {1, 10}));
  EXPECT_FALSE(selector.needed());
  EXPECT_EQ(selector.best(1), 1u);
  EXPECT_EQ(selector.selection(1).selected_on, "nothing to choose");
}

TEST(Selection, LeavesRowsWithoutATargetOut) {
  test::Drawn t = test::draw(30, 3, 2, 1, 1);
  t.labels[4] = t.labels[9] = datasets::kNoClass;
  t.targets = datasets::Targets::from_classes(t.labels, {"a", "b"});
  EXPECT_EQ(make_pool(t.train(), nullptr).size(), 28u);
}

TEST(Selection, RefusesAFeatureThatIsNotFinite) {
  test::Drawn t = test::draw(30, 3, 2, 1, 1);
  t.features[7] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THROW(make_pool(t.train(), nullptr), Error);
}

// Its logistic losses are 0 whatever the weights: a fit would never end.
TEST(Selection, RefusesADistributionOfOneShare) {
  test::Drawn t = test::draw(9, 3, 2, 1, 1);
  t.targets = datasets::Targets::from_distribution(std::vector<double>(9, 1), {"a"});
  EXPECT_THROW(make_pool(t.train(), nullptr), Error);
}

TEST(Nested, TestsEveryRowOnceByAProbeThatHasNotSeenIt) {
  const test::Drawn t = test::draw(60, 5, 2, 0.5, 3);
  std::vector<const float*> rows;
  std::vector<std::string> groups;
  for (std::size_t i = 0; i < t.rows.size(); ++i) {
    rows.push_back(&t.features[i * t.dim]);
    groups.push_back(std::to_string(i / 3));
  }
  const auto probe = test::registry().make("knn", {{{"k", "1,3"}}, 0});
  const auto folds =
      nested_cross_validation(*probe, rows, t.dim, t.targets, groups, {4, 3, 1}, Context{test::silent()});
  std::vector<std::uint32_t> tested;
  const Scores scores = pooled(folds, tested);
  EXPECT_EQ(tested, t.rows);
  EXPECT_EQ(scores.rows, 60u);
  EXPECT_GT(*evaluate(scores, t.targets).at("accuracy"), 0.9);
  for (const NestedFold& fold : folds) {
    EXPECT_EQ(fold.fitted.selection.selected_on, "3-fold cross-validation on train");
    for (const std::uint32_t row : fold.rows) {
      for (std::uint32_t other = row / 3 * 3; other < row / 3 * 3 + 3; ++other)
        EXPECT_NE(std::find(fold.rows.begin(), fold.rows.end(), other), fold.rows.end()) << "a group was torn apart";
    }
  }
}

TEST(Nested, ScoresLabelsWithoutMeaningAsChance) {
  // Chosen on the rows it is tested on, the best of 20 values of k would do better than chance.
  test::Drawn t = test::draw(120, 5, 2, 0.5, 3);
  RandomStream random("test/nested", 0);
  for (int& label : t.labels) label = static_cast<int>(random.below(2));
  t.targets = datasets::Targets::from_classes(t.labels, {"a", "b"});
  std::vector<const float*> rows;
  for (std::size_t i = 0; i < t.rows.size(); ++i) rows.push_back(&t.features[i * t.dim]);
  const auto probe = test::registry().make("knn", {{{"k", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20"}}, 0});
  const auto folds = nested_cross_validation(*probe, rows, t.dim, t.targets, {}, {5, 4, 0}, Context{test::silent()});
  std::vector<std::uint32_t> tested;
  EXPECT_NEAR(*evaluate(pooled(folds, tested), t.targets).at("accuracy"), 0.5, 0.14);  // three deviations
}

TEST(Grid, ReadsBothForms) {
  EXPECT_EQ(parse_grid("1e-2:1e2:5"), (std::vector<double>{0.01, 0.1, 1, 10, 100}));
  EXPECT_EQ(parse_grid("10,0.5, 2"), (std::vector<double>{0.5, 2, 10}));
  for (const char* bad : {"", "1:2", "0:1:3", "2:1:3", "1:2:1", "1:2:9999999", "-1", "x"})
    EXPECT_THROW(parse_grid(bad), Error);
}

TEST(Treatment, StandardisesByTrainAlone) {
  const test::Drawn t = test::draw(50, 4, 2, 1, 1), v = test::draw(20, 4, 2, 3, 2);
  const ValView val = v.val();
  const Pool alone = make_pool(t.train(), nullptr, Treatment::parse("standardise"));
  const Pool both = make_pool(t.train(), &val, Treatment::parse("standardise"));
  double sum = 0, square = 0;
  for (std::size_t i = 0; i < 50; ++i) {
    EXPECT_EQ(alone.rows[i][2], both.rows[i][2]);
    sum += static_cast<double>(alone.rows[i][2]);
    square += static_cast<double>(alone.rows[i][2]) * static_cast<double>(alone.rows[i][2]);
  }
  EXPECT_NEAR(sum, 0, 1e-5);
  EXPECT_NEAR(square, 50, 1e-4);
}

TEST(Treatment, WhitensToUnitCovariance) {
  const test::Drawn t = test::draw(200, 5, 3, 1, 1);
  const Pool pool = make_pool(t.train(), nullptr, Treatment::parse("pca-whiten:3"));
  ASSERT_EQ(pool.dim, 3u);
  for (std::size_t a = 0; a < 3; ++a) {
    for (std::size_t b = 0; b < 3; ++b) {
      double sum = 0;
      for (const float* row : pool.rows) sum += static_cast<double>(row[a]) * static_cast<double>(row[b]);
      EXPECT_NEAR(sum / 200, a == b, 1e-5);
    }
  }
}

}  // namespace
}  // namespace vise::probes
