// A sweep stops where choosing can't go wrong: its val curve, and the C it chooses, are those of the true optima.
//
// The optima are the final fit's (Newton in double, held against optima.jsonl in optima_test.cc), one C at a time, on
// train alone. Measured on these data: at sweep-stop 1e-9 a sweep's objectives are at most 2.6e-9 above, its logits off
// by at most 2.4e-4 of their root mean square, and the nearest val row to the border is 3e-4 away.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/csv.h"
#include "base/npy.h"
#include "probes/evaluate.h"
#include "probes/probe.h"
#include "tests/shared.h"
#include "tests/unit/probes/drawn.h"
#include "tests/unit/probes/registry.h"

namespace vise {
namespace {

using Options = std::map<std::string, std::string>;

struct Part {
  std::vector<std::uint32_t> rows;
  datasets::Targets targets;
};

struct Table {
  NpyArray features;
  Part train, val;
  probes::FeatureRows rows(const Part& part) const {
    return probes::FeatureRows(features.as<float>().data(), features.shape()[1], part.rows);
  }
};

Table load(const Path& csv, const std::string& features) {
  const CsvTable table = CsvTable::parse(read_text_file(csv), csv.string());
  std::vector<std::string> labels;
  Table t{NpyArray::open(test::shared_dir() / "data/golden/features" / (features + ".npy")), {}, {}};
  for (std::size_t i = 0; i < table.rows(); ++i) {
    labels.push_back(table.cell(i, table.column("label")));
    const std::string& split = table.cell(i, table.column("split"));
    if (split == "train") t.train.rows.push_back(static_cast<std::uint32_t>(i));
    if (split == "val") t.val.rows.push_back(static_cast<std::uint32_t>(i));
  }
  const datasets::Targets all = datasets::Targets::from_labels(labels);
  t.train.targets = all.select(t.train.rows);
  t.val.targets = all.select(t.val.rows);
  return t;
}

// Every C of the curve beside its optimum. The grid is that of the data's own table in scikit-learn's form of two
// classes (features/README.md), so that its well-known curve can be laid beside.
void expect_true_curve(const probes::TrainView& train, const probes::ValView& val) {
  const auto fit = [&](const Options& options, const probes::ValView* chosen_on) {
    return test::registry().make("logreg", {options, 0})->fit(train, chosen_on, Context{test::silent()});
  };
  const probes::Fitted swept = fit({{"grid", "2e-6:2e6:13"}}, &val);
  double best = -1, best_c = 0;
  for (const probes::Candidate& candidate : swept.selection.curve) {
    const double c = candidate.parameters->at("C");
    const probes::Fitted optimum = fit({{"C", fmt::format("{:.17g}", c)}}, nullptr);
    const double accuracy = *probes::evaluate(optimum.model->predict(val.features), val.targets).at("accuracy");
    EXPECT_EQ(candidate.score, accuracy) << "at C = " << c;
    if (accuracy > best + 1e-12) best = accuracy, best_c = c;
  }
  EXPECT_EQ(swept.selection.chosen.at("C"), best_c);
}

using Case = std::pair<const char*, const char*>;
class ValCurve : public testing::TestWithParam<Case> {};

TEST_P(ValCurve, IsThatOfTheTrueOptima) {
  VISE_NEEDS_SHARED();
  const auto& [csv, features] = GetParam();
  const Table t = load(test::shared_dir() / "data" / csv, features);
  expect_true_curve({t.rows(t.train), t.train.targets, {}}, {t.rows(t.val), t.val.targets});
}

INSTANTIATE_TEST_SUITE_P(Golden, ValCurve,
                         testing::Values(Case{"datasets/omi300/happy.csv", "omi300_resnet18"},
                                         Case{"datasets/omi300/liberal.csv", "omi300_resnet50"},
                                         Case{"datasets/bass/valence.csv", "bass_resnet50"}));

TEST(SweptCurve, IsThatOfTheTrueOptimaWhereClassesAreSeparable) {
  const test::Drawn t = test::draw(150, 200, 4, 4, 3), v = test::draw(120, 200, 4, 4, 3, 1);
  expect_true_curve(t.train(), v.val());
}

}  // namespace
}  // namespace vise
