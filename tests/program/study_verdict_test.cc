// The verdict of a whole study: six attributes of two data sets as tasks, five backbones, two probes, three seeds,
// three samples of train. Every number is computed again from the saved scores by numpy
// (tests/unit/reports/check_verdict.py).
#include <algorithm>
#include <cstdlib>
#include <map>

#include "base/csv.h"
#include "base/json.h"
#include "base/text.h"
#include "tests/program/program.h"

namespace vise {
namespace {

using test::Outcome;
using test::Program;
using test::read_text;

// DIR/NAME.csv over DIR/images: above or below the median of a column, in the parts that `split` has.
void write_attribute(const Path& folder, const std::string& name, const CsvTable& ratings, const std::string& id_column,
                     const std::string& column, const CsvTable& split) {
  std::vector<double> values;
  for (std::size_t row = 0; row < ratings.rows(); ++row)
    values.push_back(std::stod(ratings.cell(row, ratings.column(column))));
  std::vector<double> sorted = values;
  std::ranges::nth_element(sorted, sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2));
  const double median = sorted[sorted.size() / 2];
  std::map<std::string, std::string> part_of;
  for (std::size_t row = 0; row < split.rows(); ++row)
    part_of[split.cell(row, split.column("path"))] = split.cell(row, split.column("split"));
  std::string csv = "path,label,split\n";
  for (std::size_t row = 0; row < ratings.rows(); ++row) {
    std::string path = ratings.cell(row, ratings.column(id_column));
    if (!path.starts_with("images/")) path.insert(0, "images/");
    csv += fmt::format("{},{},{}\n", path, values[row] < median ? "low" : "high", part_of.at(path));
  }
  write_file_atomically(folder / (name + ".csv"), csv);
}

CsvTable table_at(const Path& file) { return CsvTable::parse(read_text(file), file.string()); }

// omi/ and bass/ beside study.yaml: people's ratings are subjective, what a picture holds is a control.
void write_study(const Program& program, const std::string& settings) {
  const Path sets = std::filesystem::canonical(test::shared_dir()) / "data/datasets";
  const Path omi = program / "omi", bass = program / "bass";
  for (const auto& [to, from] : {std::pair(omi, "omi300"), std::pair(bass, "bass")}) {
    std::filesystem::create_directories(to);
    std::filesystem::create_directory_symlink(sets / from / "images", to / "images");
  }
  const CsvTable faces = table_at(sets / "omi300/ratings.csv"), parts = table_at(sets / "omi300/happy.csv");
  for (const char* name : {"trustworthy", "happy", "attractive", "gender"})
    write_attribute(omi, name, faces, "path", name, parts);
  const CsvTable shapes = table_at(sets / "bass/BASS_data.csv"), halves = table_at(sets / "bass/valence.csv");
  write_attribute(bass, "valence", shapes, "file_name", "val_mean_us", halves);
  write_attribute(bass, "black", shapes, "file_name", "black_px", halves);
  write_file_atomically(program / "study.yaml", "study: 1\n" + settings);
}

class Study : public testing::Test {
 protected:
  void SetUp() override { VISE_NEEDS_SHARED(); }

  Program program_;
};

TEST_F(Study, EveryNumberOfItsVerdictIsWhatNumpyComputesFromItsScores) {
  if (std::system("/usr/bin/python3 -c 'import numpy' 2>/dev/null") != 0)
    GTEST_SKIP() << "skipped: /usr/bin/python3 with numpy not found";
  const Path weights = std::filesystem::canonical(test::shared_dir()) / "data/weights/resnet18_imagenet_fp16.pth";
  write_study(program_,
              fmt::format("tasks:\n"
                          "  - {{data: omi/trustworthy.csv, kind: subjective}}\n"
                          "  - {{data: omi/happy.csv, kind: subjective}}\n"
                          "  - {{data: omi/attractive.csv, kind: subjective}}\n"
                          "  - {{data: bass/valence.csv, kind: subjective}}\n"
                          "  - {{data: omi/gender.csv, kind: control}}\n"
                          "  - {{data: bass/black.csv, kind: control}}\n"
                          "backbones: ['resnet18={0},side=96', 'coarse={0},side=48', 'random-resnet18,side=96',\n"
                          "            image-metadata, colour-histogram]\n"
                          "baseline: colour-histogram\n"
                          "probes: [logreg, knn]\nseeds: 3\nshots: [4, 16, all]\n",
                          weights.string()));
  const Outcome ran = program_.run({"run", "study.yaml", "--out", "r"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_CONTAINS(ran.err, "540 cell(s): ");
  EXPECT_LT(ran.out.find("Verdict over 6 tasks"), ran.out.find("trustworthy: label")) << "the answer comes first";
  for (const char* part :
       {"ranks best of those compared with colour-histogram", "more over colour-histogram on subjective",
        "Friedman: chi2", "labels needed", "Found 4 times of 5 by these"})
    EXPECT_CONTAINS(ran.out, part);
  const Outcome report = program_.run({"report", "r", "--json"});
  ASSERT_EQ(report.exit_code, 0) << report.err;
  write_file_atomically(program_ / "table.json", report.out);
  const std::string command = fmt::format(
      "/usr/bin/python3 '{0}/tests/unit/reports/check_verdict.py' '{1}/r' '{1}/table.json' '{1}/r/table.md'",
      VISE_SOURCE_DIR, program_.folder().string());
  EXPECT_EQ(std::system(command.c_str()), 0);
  const Outcome verified = program_.run({"verify", "r", "--refit", "3"});
  EXPECT_EQ(verified.exit_code, 0) << verified.out;
  EXPECT_CONTAINS(verified.out, "nothing differs");
}

// Two hundred copies with one byte changed: not one of them passes.
TEST_F(Study, VerifyNeverSaysThatNothingDiffersAfterAByteWasChanged) {
  write_study(program_,
              "tasks: [{data: omi/happy.csv}, {data: bass/valence.csv}]\n"
              "backbones: [image-metadata, colour-histogram]\nprobes: [knn]\nseeds: 2\nshots: [4, all]\n");
  const Outcome ran = program_.run({"run", "study.yaml", "--out", "r"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  ASSERT_EQ(program_.run({"verify", "r", "--refit", "0"}).exit_code, 0);
  std::vector<Path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(program_ / "r"))
    if (entry.is_regular_file()) files.push_back(entry.path());
  std::ranges::sort(files);
  RandomStream random("changed bytes", 0);
  for (int change = 0; change < 200; ++change) {
    const Path& file = files[random.below(files.size())];
    const std::string sound = read_text(file);
    std::string changed = sound;
    const std::size_t at = random.below(sound.size());
    changed[at] = static_cast<char>(changed[at] ^ (1 + random.below(255)));
    write_file_atomically(file, changed);
    const Outcome seen = program_.run({"verify", "r", "--refit", "0"});
    EXPECT_NE(seen.exit_code, 0) << file << " byte " << at << "\n" << seen.out;
    EXPECT_FALSE(test::contains(seen.out, "nothing differs")) << file << " byte " << at;
    write_file_atomically(file, sound);
  }
  EXPECT_EQ(program_.run({"verify", "r", "--refit", "0"}).exit_code, 0);
}

}  // namespace
}  // namespace vise
