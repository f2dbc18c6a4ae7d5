// Faults of trust that a reviewer met: what two colleagues get from one table, what groups and seeds do to a number,
// and what verify sees.
#include <algorithm>
#include <array>
#include <cstring>

#include "base/csv.h"
#include "base/json.h"
#include "base/npy.h"
#include "base/text.h"
#include "tests/program/photos.h"

namespace vise {
namespace {

using test::Outcome;
using test::Program;
using test::read_text;

// DIR/moods.csv over pictures of two moods by ten people, whose column `group` names them.
void write_moods(const Program& program, const std::string& folder, const std::string& columns = "path,label,group") {
  std::string csv = columns + "\n";
  for (int i = 0; i < 60; ++i) {
    const std::string name = fmt::format("images/{:02}.png", i);
    const int red = i % 2 * 60 + (i * 37) % 130;  // the moods overlap
    write_file_atomically(program / folder / name, test::picture(name, static_cast<std::uint8_t>(red)));
    csv += fmt::format("{},{},person{}\n", name, i % 2 ? "tense" : "calm", i / 6);
  }
  write_file_atomically(program / folder / "moods.csv", csv);
}

Json row_of(const Outcome& outcome, std::size_t section = 0) {
  return parse_json(outcome.out, "stdout")["sections"][section]["rows"][0];
}

TEST(Trust, TheSameTableInTwoFoldersGivesTheSameNumberAndIsCompared) {
  Program program;
  for (const std::string folder : {"x", "y"}) {
    write_moods(program, folder);
    const Outcome ran = program.run({"run", "--data", folder + "/moods.csv", "--backbone", "colour-histogram",
                                     "--shots", "4,all", "--out", "r" + folder, "--json"});
    ASSERT_EQ(ran.exit_code, 0) << ran.err;
  }
  EXPECT_EQ(read_text(program / "rx/splits/x/moods.csv"), read_text(program / "ry/splits/y/moods.csv"));
  EXPECT_EQ(read_text(program / "rx/splits/x/moods.shots-4.seed-0.csv"),
            read_text(program / "ry/splits/y/moods.shots-4.seed-0.csv"));
  const Outcome compared = program.run({"compare", "rx", "ry", "--json"});
  ASSERT_EQ(compared.exit_code, 0) << compared.err;
  for (const std::size_t section : {0u, 1u}) {
    const Json row = row_of(compared, section);
    EXPECT_EQ(row["difference"]["value"], 0) << row;
  }
  EXPECT_CONTAINS(compared.out, "ry calls these data y/moods.");
}

TEST(Trust, GroupsOfATableStayWholeAndAreFoundWhereTheyDoNot) {
  Program program;
  write_moods(program, "d");
  const std::vector<std::string> run{"run", "--data", "d/moods.csv", "--backbone", "colour-histogram", "--out"};
  const auto ran = [&](std::initializer_list<std::string> more) {
    std::vector<std::string> words = run;
    words.insert(words.end(), more);
    return program.run(words);
  };
  const Outcome whole = ran({"r"});
  ASSERT_EQ(whole.exit_code, 0) << whole.err;
  EXPECT_CONTAINS(whole.out, "grouped by group 60/20/20 (seed 0)");
  EXPECT_EQ(program.run({"audit", "--data", "d/moods.csv"}).exit_code, 0);
  // A split that cuts through them is run, and says so.
  const Outcome cut = ran({"s", "--group", "none"});
  EXPECT_CONTAINS(cut.out, "10 of 10 groups (column 'group') stand in several parts");
  const Outcome found = program.run({"audit", "--data", "d/moods.csv", "--split", "s/splits/d/moods.csv"});
  EXPECT_EQ(found.exit_code, 1);
  EXPECT_CONTAINS(found.out, "10 of 10 groups by column 'group' stand in several parts");
  const Outcome again = ran({"t", "--split", "r/splits/d/moods.csv"});
  EXPECT_EQ(read_text(program / "r/splits/d/moods.csv"), read_text(program / "t/splits/d/moods.csv")) << again.err;
  const Outcome folds = ran({"f", "--folds", "5"});
  EXPECT_CONTAINS(folds.out, "fold 5 of 5, grouped by group (seed 0)");
  EXPECT_CONTAINS(folds.out, "mean over the test sets");
  const Outcome other = ran({"o", "--split-seed", "1"});
  EXPECT_NE(read_text(program / "r/splits/d/moods.csv"), read_text(program / "o/splits/d/moods.csv"));
  EXPECT_CONTAINS(other.out, "(seed 1)");
  EXPECT_EQ(ran({"b", "--split", "r/splits/d/moods.csv", "--split-seed", "1"}).exit_code, 2);
  EXPECT_EQ(ran({"b", "--folds", "3", "--splits", "2"}).exit_code, 2);
  // plan.yaml is the run, its rule included.
  for (const std::string out : {"r", "s", "t", "f", "o"}) {
    const Outcome same = program.run({"run", out + "/plan.yaml", "--out", out});
    EXPECT_EQ(same.exit_code, 0) << same.err;
    EXPECT_CONTAINS(same.err, " 0 fitted");
  }
}

// Also where the labels may be none: here they are called as parts are.
TEST(Trust, AuditLooksAtTheSplitThatWasAskedFor) {
  Program program;
  write_moods(program, "d");
  std::string csv = read_text(program / "d/moods.csv");
  for (const auto& [mood, part] : {std::pair(",tense,", ",train,"), std::pair(",calm,", ",test,")})
    for (std::size_t at = 0; (at = csv.find(mood)) != std::string::npos;) csv.replace(at, std::strlen(mood), part);
  write_file_atomically(program / "d/moods.csv", csv);
  EXPECT_CONTAINS(program.run({"audit", "--data", "d/moods.csv"}).out, "split: none (labels to be asked about)");
  EXPECT_CONTAINS(program.run({"audit", "--data", "d/moods.csv", "--split-seed", "3"}).out, "(seed 3)");
  const Outcome cut = program.run({"audit", "--data", "d/moods.csv", "--split-seed", "3", "--group", "none"});
  EXPECT_CONTAINS(cut.out, "groups by column 'group' stand in several parts");
}

TEST(Trust, GroupsThatOnlyNamesShowAreFound) {
  Program program;
  for (int i = 0; i < 40; ++i) {
    const std::string name = fmt::format("faces/{}/subject{}_{:02}.png", i % 2 ? "tense" : "calm", i / 4, i);
    write_file_atomically(program / name, test::picture(name, static_cast<std::uint8_t>(5 * i)));
  }
  const Outcome found = program.run({"audit", "--data", "faces", "--json"});
  EXPECT_EQ(found.exit_code, 1) << found.err;
  const Json groups = parse_json(found.out, "stdout")["groups"];
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_EQ(groups[0]["by"], "names of files");
  EXPECT_EQ(groups[0]["groups"], 10);
}

// A run of two rows, quick to verify.
void run_moods(Program& program, const std::string& out, std::initializer_list<std::string> more = {}) {
  write_moods(program, "d");
  std::vector<std::string> words{
      "run",        "--data",         "d/moods.csv", "--backbone", "colour-histogram,image-metadata",
      "--baseline", "image-metadata", "--out",       out};
  words.insert(words.end(), more);
  const Outcome ran = program.run(words);
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
}

TEST(Trust, SeedsOfAProbeThatDrawsNothingChangeNoTestAndNoCount) {
  Program program;
  Json differences[2], confusions[2];
  for (const int k : {0, 1}) {
    const std::string out = fmt::format("s{}", k);
    run_moods(program, out, {"--seeds", k == 0 ? "1" : "3"});
    const Outcome report = program.run({"report", out, "--json"});
    differences[k] = row_of(report)["difference"];
    const std::string page = read_text(program / out / "report.html");
    const auto begin = page.find("\"confusion\":");
    ASSERT_NE(begin, std::string::npos);
    confusions[k] = page.substr(begin, page.find(']', begin) - begin);
  }
  EXPECT_EQ(differences[0], differences[1]);
  EXPECT_EQ(differences[1]["test"], "McNemar, exact");
  EXPECT_EQ(confusions[0], confusions[1]);
}

TEST(Trust, SeveralDrawnSplitsEndWithAMeanThatKnowsTheirOverlap) {
  Program program;
  run_moods(program, "r", {"--splits", "4", "--group", "none"});
  const Outcome report = program.run({"report", "r", "--json"});
  const Json sections = parse_json(report.out, "stdout")["sections"];
  ASSERT_EQ(sections.size(), 5u);
  EXPECT_CONTAINS(sections[0]["split"]["origin"].get<std::string>(), "draw 1 of 4, stratified 60/20/20 (seed 0)");
  const Json row = sections[4]["rows"][0];
  EXPECT_EQ(row["difference"]["test"], "corrected resampled t");
  EXPECT_TRUE(row["difference"]["p"].is_number()) << row;
  EXPECT_TRUE(row["metrics"]["accuracy"]["low"].is_number()) << row;
  // One method a number, also in what is printed below the tables.
  const std::string text = program.run({"report", "r"}).out;
  EXPECT_CONTAINS(text, "Found 4 times of 5 by these 4 drawn splits: ");
  EXPECT_CONTAINS(text, "; of a mean over drawn splits, as its tests, by Student's t corrected for their overlap");
  EXPECT_EQ(text.find("Nadeau"), text.rfind("Nadeau"));
  EXPECT_EQ(program.run({"verify", "r"}).exit_code, 0);
}

TEST(Trust, AnUntouchedFolderOfProbeIsVerified) {
  Program program;
  RandomStream random("probe folder", 0);
  std::vector<float> features;
  std::string labels = "id,label,split\n";
  for (int i = 0; i < 60; ++i) {
    for (int d = 0; d < 4; ++d) features.push_back(static_cast<float>(random.normal() + (i % 2) * (d == 0)));
    labels += fmt::format("{}.jpg,{},{}\n", i, i % 2 ? "a" : "b", i < 30 ? "train" : i < 45 ? "val" : "test");
  }
  write_npy(program / "A.npy", std::span<const float>(features), {60, 4});
  write_file_atomically(program / "labels.csv", labels);
  for (const std::vector<std::string>& how :
       {std::vector<std::string>{"--split", "labels.csv"}, {"--seed", "3"}, {"--nested", "3"}}) {
    std::vector<std::string> words{"probe", "--features", "A.npy", "--labels", "labels.csv", "--out", "p"};
    words.insert(words.end(), how.begin(), how.end());
    ASSERT_EQ(program.run(words).exit_code, 0);
  }
  const Outcome verified = program.run({"verify", "p"});
  EXPECT_EQ(verified.exit_code, 0) << verified.out;
  EXPECT_CONTAINS(verified.out, "the seal holds: ");
}

void replace_first(const Path& file, const std::string& what, const std::string& with) {
  std::string text = read_text(file);
  const auto at = text.find(what);
  ASSERT_NE(at, std::string::npos) << file << " has no " << what;
  write_file_atomically(file, text.replace(at, what.size(), with));
}

TEST(Trust, VerifySeesEditsOfWhatIsSaidAndWhatIsPrinted) {
  Program program;
  run_moods(program, "r");
  const Outcome sound = program.run({"verify", "r"});
  ASSERT_EQ(sound.exit_code, 0) << sound.out;
  const std::string digest = sound.out.substr(sound.out.find("the seal holds: ") + 16, 64);
  EXPECT_CONTAINS(read_text(program / "r/report.html"), digest);
  const std::vector<std::array<std::string, 3>> edits{
      {"results.jsonl", "\"selected_on\":\"val (", "\"selected_on\":\"test ("},
      {"results.jsonl", "\"floor\":\"colour-histogram", "\"floor\":\"colour-histograms"},
      {"table.md", "accuracy in %", "accuracy, in %"},
      {"table.csv", "0.", "1."},
      {"report.html", "\"value\":0.", "\"value\":1."},
      {"seal.json", digest, std::string(64, '0')},
      {"plan.yaml", "seeds: 1", "seeds: 2"}};
  for (const auto& [file, what, with] : edits) {
    std::filesystem::remove_all(program / "t");
    std::filesystem::copy(program / "r", program / "t", std::filesystem::copy_options::recursive);
    replace_first(program / "t" / file, what, with);
    const Outcome seen = program.run({"verify", "t"});
    EXPECT_EQ(seen.exit_code, 5) << file << " " << what << "\n" << seen.out;
    // Also where somebody sealed it again, or took the seal away: by the key, by fitting again, by rendering again.
    if (file == "results.jsonl") {
      std::filesystem::remove(program / "t/seal.json");
      const Outcome bare = program.run({"verify", "t"});
      EXPECT_EQ(bare.exit_code, 5) << file << " " << what << "\n" << bare.out;
    }
  }
}

TEST(Trust, VerifyNeverSaysThatNothingDiffersAfterAByteWasFlipped) {
  Program program;
  run_moods(program, "r", {"--shots", "4,all"});
  std::vector<Path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(program / "r"))
    if (entry.is_regular_file()) files.push_back(entry.path());
  std::ranges::sort(files);
  RandomStream random("flipped bytes", 0);
  for (int flip = 0; flip < 40; ++flip) {
    const Path& file = files[random.below(files.size())];
    const std::string sound = read_text(file);
    std::string flipped = sound;
    const std::size_t at = random.below(sound.size());
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << random.below(8)));
    write_file_atomically(file, flipped);
    const Outcome seen = program.run({"verify", "r", "--refit", "0"});
    EXPECT_NE(seen.exit_code, 0) << file << " byte " << at << "\n" << seen.out;
    EXPECT_EQ(seen.out.find("nothing differs"), std::string::npos) << file << " byte " << at;
    write_file_atomically(file, sound);
  }
  EXPECT_EQ(program.run({"verify", "r", "--refit", "0"}).exit_code, 0);
}

TEST(Trust, VerifySaysInItsLastLineWhatItCouldNotCheck) {
  Program program;
  run_moods(program, "r", {});
  const Outcome cold = program.run({"verify", "r", "--cache", "nowhere"});
  EXPECT_EQ(cold.exit_code, 0);
  EXPECT_CONTAINS(cold.out, "are not in the cache nowhere; none of its cells was fitted again (--cache names another)");
  EXPECT_CONTAINS(cold.out, "nothing differs in what could be checked: no cell was fitted again\n");
  std::filesystem::remove(program / "r/seal.json");
  std::filesystem::remove(program / "r/report.html");
  EXPECT_CONTAINS(program.run({"verify", "r"}).out,
                  "nothing differs in what could be checked: without a seal files may have been changed or removed\n");
}

TEST(Trust, VerifyNoticesThatACellWithScoresIsCalledFailed) {
  Program program;
  run_moods(program, "r", {});
  std::filesystem::remove(program / "r/seal.json");
  std::string results = read_text(program / "r/results.jsonl");
  const std::string ok = "\"status\":\"ok\"";
  ASSERT_NE(results.find(ok), std::string::npos);
  results.replace(results.find(ok), ok.size(), "\"status\":\"failed\"");
  write_file_atomically(program / "r/results.jsonl", results);
  const Outcome verified = program.run({"verify", "r"});
  EXPECT_EQ(verified.exit_code, 5);
  EXPECT_CONTAINS(verified.out, "it is recorded as failed, but scores/");
}

TEST(Trust, VerifyFitsAgainAsTheRunDidWhereImagesWereSkipped) {
  Program program;
  write_moods(program, "d");
  write_file_atomically(program / "d/images/07.png", "no picture");
  const Outcome ran = program.run(
      {"run", "--data", "d/moods.csv", "--backbone", "colour-histogram", "--on-bad-image", "skip", "--out", "r"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const Outcome verified = program.run({"verify", "r"});
  EXPECT_EQ(verified.exit_code, 0) << verified.out;
  EXPECT_CONTAINS(verified.out, "1 cell(s) fitted again, 1 of them");
}

TEST(Trust, ExplainTellsTwoFilesOfFeaturesApart) {
  Program program;
  std::string labels = "id,label\n";
  for (int i = 0; i < 40; ++i) labels += fmt::format("{},{}\n", i, i % 2);
  write_file_atomically(program / "labels.csv", labels);
  for (const std::string folder : {"x", "y"}) {
    RandomStream random(folder, 0);
    std::vector<float> features(40 * 3);
    for (float& v : features) v = static_cast<float>(random.normal());
    std::filesystem::create_directories(program / folder);
    write_npy(program / folder / "features.npy", std::span<const float>(features), {40, 3});
    ASSERT_EQ(
        program.run({"probe", "--features", folder + "/features.npy", "--labels", "labels.csv", "--out", "r" + folder})
            .exit_code,
        0);
  }
  const Outcome said = program.run({"explain", "rx", "ry"});
  EXPECT_CONTAINS(said.out, "features given (SHA-256)");
}

TEST(Trust, KnnChoosesAmongNoMoreNeighboursThanThereAreRows) {
  Program program;
  run_moods(program, "r", {"--probe", "knn"});
  const std::string results = read_text(program / "r/results.jsonl");
  EXPECT_EQ(results.find("\"parameters\":{\"k\":100.0}"), std::string::npos);
  EXPECT_CONTAINS(results, "\"parameters\":{\"k\":20.0}");
}

TEST(Trust, ARowOfRandomWeightsNamesItsArchitecture) {
  Program program;
  run_moods(program, "r");
  const Outcome ran = program.run({"run", "--data", "d/moods.csv", "--backbone", "random-resnet18", "--out", "s"});
  EXPECT_CONTAINS(ran.out, "random-resnet18 is a resnet18 with random weights.");
}

TEST(Trust, AnIntervalAndItsVerdictAgree) {
  Program program;
  run_moods(program, "r", {"--group", "none", "--shots", "1,2,4,8,all", "--seeds", "2"});
  const Json sections = parse_json(program.run({"report", "r", "--json"}).out, "stdout")["sections"];
  for (const Json& section : sections) {
    const Json d = section["rows"][0]["difference"];
    if (!d["low"].is_number()) continue;
    EXPECT_EQ(d["low"] > 0 || d["high"] < 0, d["p"] < 0.05) << d;
    EXPECT_EQ(d["survives_alone"].get<bool>(), d["p"] < 0.05) << d;
  }
}

}  // namespace
}  // namespace vise
