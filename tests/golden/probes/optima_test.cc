// The 8 optima of the golden pack and the 80 of ../shared/data/golden/probes: minima of sum of log losses + ||W||^2 /
// (2 C), gradients at most 6.3e-14 in 80-bit arithmetic (the README there says how). Tolerances are that README's for a
// Newton finish: objective 1e-10 relative, first weights 1e-6 of the largest, every test prediction.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <sstream>

#include "base/csv.h"
#include "base/json.h"
#include "base/npy.h"
#include "probes/probe.h"
#include "tests/shared.h"
#include "tests/unit/probes/registry.h"

namespace vise {
namespace {

struct Problem {
  NpyArray features;
  std::vector<std::string> labels;
  std::vector<std::uint32_t> train, test;
};

// Features and manifest of a record.
using FilesOf = std::pair<Path, Path> (*)(const Json& record);

std::pair<Path, Path> shared_files(const Json& record) {
  const Path data = test::shared_dir() / "data";
  const std::string dataset = record["dataset"], manifest = record["manifest"], trunk = record["trunk"];
  return {data / "golden/features" / (dataset + "_" + trunk + ".npy"),
          manifest.ends_with("4") ? data / "golden/probes/bass_valence4.csv"
                                  : data / "datasets" / dataset / (manifest + ".csv")};
}

std::pair<Path, Path> pack_files(const Json& record) {
  const std::string name = record["manifest"];
  return {test::golden_pack() / (name + ".npy"), test::golden_pack() / (name + ".csv")};
}

Problem load(const Path& features, const Path& csv) {
  const CsvTable table = CsvTable::parse(read_text_file(csv), csv.string());
  Problem p{NpyArray::open(features), {}, {}, {}};
  for (std::size_t i = 0; i < table.rows(); ++i) {
    p.labels.push_back(table.cell(i, table.column("label")));
    const std::string& split = table.cell(i, table.column("split"));
    if (split == "train") p.train.push_back(static_cast<std::uint32_t>(i));
    if (split == "test") p.test.push_back(static_cast<std::uint32_t>(i));
  }
  return p;
}

void expect_weights(const Json& record, const probes::ProbeModel& model, std::size_t dim) {
  const std::vector<double> w = model.weights(), b = model.intercepts();
  const std::size_t vectors = record["coef_first8"].size();
  const auto weight = [&](std::size_t v, std::size_t d) { return vectors == 1 ? w[dim + d] - w[d] : w[v * dim + d]; };
  double largest = 0;
  for (std::size_t v = 0; v < vectors; ++v) {
    for (std::size_t d = 0; d < dim; ++d) largest = std::max(largest, std::abs(weight(v, d)));
  }
  for (std::size_t v = 0; v < vectors; ++v) {
    for (std::size_t d = 0; d < 8; ++d) {
      EXPECT_NEAR(weight(v, d), record["coef_first8"][v][d].get<double>(), 1e-6 * largest) << record["case"];
    }
    const double intercept = vectors == 1 ? b[1] - b[0] : b[v];
    EXPECT_NEAR(intercept, record["intercept"][v].get<double>(), 1e-6 * std::max(1.0, std::abs(intercept)))
        << record["case"];
  }
}

std::string predictions(const probes::Scores& scores) {
  std::string digits;
  for (std::size_t i = 0; i < scores.rows; ++i) {
    std::size_t best = 0;
    for (std::size_t k = 1; k < scores.columns; ++k) best = scores(i, k) > scores(i, best) ? k : best;
    digits += static_cast<char>('0' + best);
  }
  return digits;
}

// How many records there were.
int check_all(const Path& file, FilesOf files_of) {
  std::istringstream lines(read_text_file(file));
  std::map<std::string, Problem> problems;
  int records = 0;
  double slowest = 0, worst = 0, gradient = 0;
  for (std::string line; std::getline(lines, line); ++records) {
    const Json record = parse_json(line, "optima.jsonl");
    const auto [features, csv] = files_of(record);
    const std::string key = features.string() + csv.string();
    if (!problems.contains(key)) problems.emplace(key, load(features, csv));
    const Problem& p = problems.at(key);
    const std::size_t dim = p.features.shape()[1];
    const float* const values = p.features.as<float>().data();
    const datasets::Targets all = datasets::Targets::from_labels(p.labels), targets = all.select(p.train);
    const auto probe = test::registry().make("logreg", {{{"C", record["C"].dump()}}, 0});
    const Stopwatch watch;
    const probes::Fitted fitted =
        probe->fit({probes::FeatureRows(values, dim, p.train), targets, {}}, nullptr, Context{test::silent()});
    slowest = std::max(slowest, watch.seconds());
    const double objective = record["objective"];
    worst = std::max(worst, std::abs(fitted.convergence.objective - objective) / objective);
    gradient = std::max(gradient, fitted.convergence.gradient_norm);
    EXPECT_NEAR(fitted.convergence.objective, objective, 1e-10 * objective) << record["case"];
    EXPECT_TRUE(fitted.convergence.converged) << record["case"];
    expect_weights(record, *fitted.model, dim);
    EXPECT_EQ(predictions(fitted.model->predict(probes::FeatureRows(values, dim, p.test))), record["test_predictions"])
        << record["case"];
  }
  testing::Test::RecordProperty("slowest_fit_s", std::to_string(slowest));
  std::printf("  %d optima: objective off by at most %.1e (relative), gradient at most %.1e, slowest fit %.3f s\n",
              records, worst, gradient, slowest);
  return records;
}

TEST(LogReg, ReachesEveryOptimumOfThePack) {
  EXPECT_EQ(check_all(test::golden_pack() / "optima.jsonl", pack_files), 8);
}

TEST(LogReg, ReachesEveryGoldenOptimum) {
  VISE_NEEDS_SHARED();
  EXPECT_EQ(check_all(test::shared_dir() / "data/golden/probes/optima.jsonl", shared_files), 80);
}

}  // namespace
}  // namespace vise
