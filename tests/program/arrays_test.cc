// From arrays to a table: `compare A.npy B.npy`, and what `probe` says of one.
#include "base/json.h"
#include "base/npy.h"
#include "base/random.h"
#include "base/text.h"
#include "tests/program/program.h"

namespace vise::test {
namespace {

constexpr std::size_t kRows = 200, kDim = 6;

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

class Arrays : public testing::Test {
 protected:
  void SetUp() override {
    std::string labels = "label,id\n";
    for (std::size_t i = 0; i < kRows; ++i) labels += fmt::format("{},item {}\n", i % 2 ? "calm" : "stormy", i);
    write_file_atomically(program_ / "y.csv", labels);
    write("A.npy", 1.2);
    write("B.npy", 0.1);
  }

  // Features whose first column tells the classes apart by so many standard deviations.
  void write(const std::string& file, double effect) {
    RandomStream draws("arrays/" + file, 0);
    std::vector<float> values;
    for (std::size_t i = 0; i < kRows * kDim; ++i) {
      const double noise = draws.uniform() + draws.uniform() + draws.uniform() - 1.5;
      values.push_back(static_cast<float>(noise + (i % kDim == 0 && i / kDim % 2 ? effect : 0)));
    }
    std::filesystem::create_directories((program_ / file).parent_path());
    write_npy(program_ / file, std::span<const float>(values), {kRows, kDim});
  }

  Program program_;
};

TEST_F(Arrays, BecomeATableThatCanBeVerified) {
  const Outcome compared = program_.run({"compare", "A.npy", "B.npy", "--labels", "y.csv", "--out", "r"});
  ASSERT_EQ(compared.exit_code, 0) << compared.err;
  EXPECT_TRUE(has(compared.out, "vs B")) << compared.out;
  EXPECT_TRUE(has(compared.out, "| A ") && has(compared.out, "p (Holm)")) << compared.out;
  for (const char* const file : {"report.html", "table.md", "seal.json", "results.jsonl"})
    EXPECT_TRUE(std::filesystem::exists(program_ / "r" / file)) << file;
  const Outcome verified = program_.run({"verify", "r"});
  EXPECT_EQ(verified.exit_code, 0) << verified.out;
  EXPECT_TRUE(has(verified.out, "nothing differs")) << verified.out;
}

TEST_F(Arrays, CompareByAnyProbeNameAndBaseline) {
  const Outcome compared = program_.run({"compare", "A.npy", "B.npy", "--labels", "y.csv", "--name", "mine,theirs",
                                         "--baseline", "mine", "--probe", "logreg", "--probe", "knn", "--json"});
  ASSERT_EQ(compared.exit_code, 0) << compared.err;
  const Json table = parse_json(compared.out, "table");
  ASSERT_EQ(table["sections"].size(), 1u);
  const Json& rows = table["sections"][0]["rows"];
  ASSERT_EQ(rows.size(), 4u);
  for (const Json& row : rows) EXPECT_EQ(row["baseline"], row["backbone"] == "mine");
  for (const Json& row : rows) EXPECT_TRUE(row["backbone"] == "mine" || row["difference"]["value"] < 0) << row;
}

TEST_F(Arrays, OfOneNameAreToldApartByTheirFolders) {
  write("x/features.npy", 1.2);
  write("y/features.npy", 0.1);
  const Outcome compared = program_.run({"compare", "x/features.npy", "y/features.npy", "--labels", "y.csv"});
  EXPECT_TRUE(has(compared.out, "| x/features ") && has(compared.out, "vs y/features")) << compared.out << compared.err;
  for (const std::string folder : {"x", "y"})
    ASSERT_EQ(
        program_.run({"probe", "--features", folder + "/features.npy", "--labels", "y.csv", "--out", "r" + folder})
            .exit_code,
        0);
  const Outcome report = program_.run({"report", "rx", "ry", "--baseline", "features"});
  EXPECT_TRUE(has(report.out, "vs x/features")) << report.out << report.err;
  EXPECT_TRUE(has(report.err, "the baseline is x/features")) << report.err;
}

TEST_F(Arrays, AreRefusedWithTheRemedy) {
  const Outcome bare = program_.run({"compare", "A.npy", "B.npy"});
  EXPECT_EQ(bare.exit_code, 2);
  EXPECT_TRUE(has(bare.err, "--labels")) << bare.err;
  std::filesystem::copy_file(program_ / "A.npy", program_ / "C.npy");
  const Outcome same = program_.run({"compare", "A.npy", "C.npy", "--labels", "y.csv"});
  EXPECT_EQ(same.exit_code, 4);
  EXPECT_TRUE(has(same.err, "A.npy and C.npy hold the same features")) << same.err;
  EXPECT_EQ(program_.run({"compare", "A.npy", "B.npy", "--labels", "y.csv", "--baseline", "C"}).exit_code, 2);
}

// The list of rows beside features.npy has no labels; the table that `export` writes of the same data has.
TEST_F(Arrays, OfAnExtractionGetTheirLabelsFromAnExport) {
  for (const std::string mood : {"calm", "tense"})
    for (int i = 0; i < 10; ++i)
      write_file_atomically(program_ / fmt::format("photos/{}/{}.ppm", mood, i),
                            test::noise_picture(fmt::format("{}{}", mood, i)));
  ASSERT_EQ(
      program_.run({"extract", "--data", "photos", "--backbone", "colour-histogram", "--out", "features"}).exit_code,
      0);
  const Outcome refused =
      program_.run({"probe", "--features", "features/features.npy", "--labels", "features/manifest.csv"});
  EXPECT_EQ(refused.exit_code, 4);
  EXPECT_TRUE(has(refused.err, "lists the rows of an extraction and has no column 'label'")) << refused.err;
  EXPECT_TRUE(has(refused.err, "vise-eval export --data DATA --out labels.csv")) << refused.err;
  ASSERT_EQ(program_.run({"export", "--data", "photos", "--out", "labels.csv"}).exit_code, 0);
  const Outcome split = program_.run(
      {"probe", "--features", "features/features.npy", "--labels", "labels.csv", "--split", "features/manifest.csv"});
  EXPECT_EQ(split.exit_code, 4);
  EXPECT_TRUE(has(split.err, "has no column 'split'")) << split.err;
  const Outcome fitted =
      program_.run({"probe", "--features", "features/features.npy", "--labels", "labels.csv", "--split", "labels.csv"});
  EXPECT_EQ(fitted.exit_code, 0) << fitted.err;
}

TEST_F(Arrays, WithALabelThatMayBeMisspeltGetANote) {
  std::string labels = read_text(program_ / "y.csv");
  labels.insert(labels.find("calm") + 1, "a");
  write_file_atomically(program_ / "typo.csv", labels);
  const std::string said = "note: class names that may be typos: 'caalm' (1) beside 'calm' (99)";
  const Outcome probed = program_.run({"probe", "--features", "A.npy", "--labels", "typo.csv"});
  EXPECT_EQ(probed.exit_code, 0) << probed.err;
  EXPECT_TRUE(has(probed.out, said)) << probed.out;
  EXPECT_FALSE(has(program_.run({"probe", "--features", "A.npy", "--labels", "y.csv"}).out, "typos"));
}

TEST_F(Arrays, ProbePrintsIntervalsWithAndWithoutAFolder) {
  const Outcome alone = program_.run({"probe", "--features", "A.npy", "--labels", "y.csv", "--json", "--name", "mine"});
  ASSERT_EQ(alone.exit_code, 0) << alone.err;
  const Json json = parse_json(alone.out, "probe");
  EXPECT_EQ(json["cell"]["backbone"], "mine");
  const Json& interval = json["intervals"]["accuracy"];
  EXPECT_LT(interval[0], json["metrics"]["accuracy"]);
  EXPECT_GE(interval[1], json["metrics"]["accuracy"]);
  EXPECT_EQ(json["scores_file"], "");
  const Outcome kept = program_.run({"probe", "--features", "A.npy", "--labels", "y.csv", "--out", "r"});
  EXPECT_TRUE(has(kept.out, fmt::format("[{:.4f}, {:.4f}]", interval[0].get<double>(), interval[1].get<double>())))
      << kept.out;
}

TEST_F(Arrays, FiguresOfARunAreWritten) {
  ASSERT_EQ(program_.run({"compare", "A.npy", "B.npy", "--labels", "y.csv", "--out", "r"}).exit_code, 0);
  const Outcome report = program_.run({"report", "r", "--figures", "f", "--format", "typst"});
  EXPECT_EQ(report.exit_code, 0) << report.err;
  EXPECT_TRUE(has(report.out, "#figure(")) << report.out;
  EXPECT_TRUE(std::filesystem::exists(program_ / "f/y-accuracy-on-test.tex")) << report.err;
}

// Natural words: a path where a study is expected, the name of a task, a file without a name.
TEST_F(Arrays, ErrorsUnderJsonAreJson) {
  const Outcome failed = program_.run({"report", "nowhere", "--json"});
  EXPECT_EQ(failed.exit_code, 3);
  const Json json = parse_json(failed.err, "stderr");
  EXPECT_EQ(json["kind"], "missing");
  EXPECT_EQ(json["exit_code"], 3);
  EXPECT_FALSE(json["error"].get<std::string>().empty());
}

TEST_F(Arrays, NaturalWordsOfTheCommandLineAreUnderstood) {
  EXPECT_EQ(program_.run({"cache", "list"}).exit_code, 0);
  EXPECT_EQ(program_.run({"cache", "ls"}).exit_code, 0);
  std::filesystem::create_directories(program_ / "photos");
  const Outcome path = program_.run({"run", "photos", "--backbone", "colour-histogram", "--dry-run"});
  const Outcome data = program_.run({"run", "--data", "photos", "--backbone", "colour-histogram", "--dry-run"});
  EXPECT_EQ(path.err, data.err);
  EXPECT_EQ(path.exit_code, data.exit_code);
  write_file_atomically(program_ / "run7.pth", "no checkpoint");
  const Outcome inspected = program_.run({"backbone", "inspect", "run7.pth"});
  EXPECT_FALSE(has(inspected.err, "unknown backbone")) << inspected.err;
}

}  // namespace
}  // namespace vise::test
