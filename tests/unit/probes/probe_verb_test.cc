// The program itself, as a user of another extractor calls it.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>

#include "base/csv.h"
#include "base/json.h"
#include "base/npy.h"
#include "experiments/result.h"
#include "experiments/results_file.h"
#include "probes/evaluate.h"
#include "tests/shared.h"
#include "tests/unit/probes/drawn.h"

namespace vise::probes {
namespace {

struct Outcome {
  int code = -1;
  std::string out, err;
};

class ProbeVerb : public testing::Test {
 protected:
  ProbeVerb() {
    write_npy(dir_ / "X.npy", std::span<const float>(data_.features), {data_.rows.size(), data_.dim});
    const std::vector<std::int64_t> y(data_.labels.begin(), data_.labels.end());
    write_npy(dir_ / "y.npy", std::span<const std::int64_t>(y), {y.size()});
  }

  Outcome call(const std::string& arguments) const {
    const std::string command =
        fmt::format("cd {} && {}/vise-eval probe {} >out 2>err", dir_.path().string(), VISE_BINARY_DIR, arguments);
    const int status = std::system(command.c_str());
    return {WEXITSTATUS(status), read_text_file(dir_ / "out"), read_text_file(dir_ / "err")};
  }

  void write_split() const {
    std::string csv = "id,label,split,group,a,b\n";
    for (std::size_t i = 0; i < data_.rows.size(); ++i) {
      csv += fmt::format("row{},{},{},{},{},{}\n", i, data_.targets.names()[static_cast<std::size_t>(data_.labels[i])],
                         i % 5 == 0   ? "test"
                         : i % 5 == 1 ? "val"
                                      : "train",
                         i / 2, data_.labels[i] == 0 ? 1 : 0, data_.labels[i] == 1 ? 1 : 0);
    }
    write_file_atomically(dir_ / "labels.csv", csv);
  }

  const test::Drawn data_ = test::draw(150, 8, 3, 0.5, 2);
  const test::ScratchDir dir_;
};

TEST_F(ProbeVerb, TakesAnyPairOfArrays) {
  const Outcome outcome = call("--features X.npy --labels y.npy");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(outcome.out.starts_with("logreg: train 91, val 30, test 29 (stratified 60/20/20 (seed 0))"))
      << outcome.out;
  EXPECT_NE(outcome.out.find("accuracy"), std::string::npos);
}

TEST_F(ProbeVerb, SavesScoresThatGiveTheMetricsBack) {
  write_split();
  const Outcome outcome =
      call("--features X.npy --labels labels.csv --split labels.csv --probe logreg,preset=clip --json --out run");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const experiments::Result result = experiments::result_from_json(Json::parse(outcome.out));
  EXPECT_EQ(result.selection.curve.size(), 96u);
  const std::vector<experiments::Result> stored = experiments::read_results(dir_ / "run/results.jsonl");
  ASSERT_EQ(stored.size(), 1u);
  EXPECT_EQ(stored[0].key, result.key);
  const NpyArray scores = NpyArray::open(dir_ / Path("run") / result.scores_file);
  EXPECT_EQ(scores.shape(), (std::vector<std::uint64_t>{30, 3}));
  const Path truth = dir_ / fmt::format("run/scores/{}.test.csv", result.key);
  const CsvTable table = CsvTable::parse(read_text_file(truth), "truth");
  std::vector<int> labels;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    EXPECT_EQ(table.cell(row, 0), fmt::format("row{}", 5 * row));
    labels.push_back(std::stoi(table.cell(row, 1)));
    EXPECT_EQ(labels.back(), data_.labels[5 * row]);
  }
  const auto metrics =
      evaluate({30, 3, scores.to_doubles()}, datasets::Targets::from_classes(labels, result.class_names));
  EXPECT_EQ(metrics.at("accuracy"), result.metrics.at("accuracy"));
  EXPECT_EQ(metrics.at("log_loss"), result.metrics.at("log_loss"));
}

TEST_F(ProbeVerb, ChoosesByFoldsWhereThereIsNoVal) {
  const Outcome outcome = call("--features X.npy --labels y.npy --shares 0.8 0 0.2 --folds 4 --json");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(experiments::result_from_json(Json::parse(outcome.out)).selection.selected_on,
            "4-fold cross-validation on train");
}

TEST_F(ProbeVerb, TakesValAndTestFromFilesOfTheirOwn) {
  const Outcome outcome = call("--features X.npy --labels y.npy --val X.npy y.npy --test X.npy y.npy --json");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const experiments::Result result = experiments::result_from_json(Json::parse(outcome.out));
  EXPECT_EQ(result.sizes.train, 150u);
  EXPECT_EQ(result.sizes.val, 150u);
  EXPECT_EQ(result.sizes.test, 150u);
}

TEST_F(ProbeVerb, TestsEveryRowWithNestedFoldsAndKeepsGroups) {
  write_split();
  const Outcome outcome = call("--features X.npy --labels y.npy --nested 3 --folds 3 --groups labels.csv --json");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const experiments::Result result = experiments::result_from_json(Json::parse(outcome.out));
  EXPECT_EQ(result.sizes.test, 150u);
  EXPECT_EQ(result.notes.size(), 3u);
}

TEST_F(ProbeVerb, FitsLabelsAndValues) {
  write_split();
  const std::string common = "--features X.npy --labels labels.csv --split labels.csv --json ";
  const Outcome labels = call(common + "--target multi-label --column a,b");
  ASSERT_EQ(labels.code, 0) << labels.err;
  EXPECT_TRUE(experiments::result_from_json(Json::parse(labels.out)).metrics.contains("map"));
  const Outcome values = call(common + "--target values --column group --probe ridge");
  ASSERT_EQ(values.code, 0) << values.err;
  EXPECT_TRUE(experiments::result_from_json(Json::parse(values.out)).metrics.contains("r2"));
}

TEST_F(ProbeVerb, NamesTheFileThatDoesNotFit) {
  write_npy(dir_ / "short.npy", std::span<const std::int64_t>(std::vector<std::int64_t>{0, 1}), {2});
  const Outcome rows = call("--features X.npy --labels short.npy");
  EXPECT_EQ(rows.code, 4);
  EXPECT_NE(rows.err.find("short.npy: 2 rows, but X.npy has 150"), std::string::npos) << rows.err;
  const Outcome kind = call("--features X.npy --labels y.npy --target class");
  EXPECT_EQ(kind.code, 2);
  EXPECT_NE(kind.err.find("classes"), std::string::npos) << kind.err;
  EXPECT_EQ(call("--features X.npy --labels y.npy --split y.npy --test X.npy y.npy").code, 2);
}

}  // namespace
}  // namespace vise::probes
