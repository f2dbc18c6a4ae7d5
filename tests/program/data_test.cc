// The verbs about data sets, as a user runs them: audit, export, init-task, and tasks whose data is missing.
#include <set>

#include "base/csv.h"
#include "base/json.h"
#include "tests/program/photos.h"

namespace vise {
namespace {

using test::Outcome;
using test::photos;
using test::picture;
using test::Program;
using test::read_text;

TEST(Audit, EndsWithZeroForSoundDataAndOneForACopyAcrossSplits) {
  Program program;
  const Path folder = photos(program);
  Outcome sound = program.run({"audit", "--data", folder});
  EXPECT_EQ(sound.exit_code, 0) << sound.out << sound.err;
  EXPECT_NE(sound.out.find("nothing found"), std::string::npos);
  // One picture in both classes: whatever the split, its labels conflict.
  write_file_atomically(folder / "tense/copy.png", picture("photos/calm/0.png", 20));
  const Outcome copied = program.run({"audit", "--data", folder, "--json", "--html", program / "audit.html"});
  EXPECT_EQ(copied.exit_code, 1) << copied.err;
  const Json json = parse_json(copied.out, "stdout");
  ASSERT_EQ(json["duplicates"].size(), 1u);
  EXPECT_EQ(json["duplicates"][0]["ids"], Json({"calm/0.png", "tense/copy.png"}));
  EXPECT_TRUE(json["duplicates"][0]["conflicting"].get<bool>());
  EXPECT_NE(read_text(program / "audit.html").find("data:image/png;base64,"), std::string::npos);
}

TEST(InitTask, WritesAFileThatRuns) {
  Program program;
  const Path folder = photos(program), file = program / "moods.yaml";
  const Outcome made = program.run({"init-task", folder, "--out", file});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  EXPECT_EQ(made.out, file.string() + "\n");
  EXPECT_NE(read_text(file).find("data: \"photos\"\n"), std::string::npos) << read_text(file);  // as seen from the file
  EXPECT_EQ(program.run({"init-task", folder, "--out", file}).exit_code, 4);                    // nothing overwritten
  const Outcome ran = program.run({"run", "--task", file, "--backbone", "colour-histogram", "--out", program / "out"});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_NE(ran.out.find("100.0"), std::string::npos) << ran.out;
}

// A machine without weights gets a task that needs none; where some lie, one that compares them.
TEST(InitTask, ComparesWhatThisMachineHas) {
  Program program;
  const Path folder = photos(program);
  const Outcome bare = program.run({"init-task", folder, "--out", "bare.yaml"});
  ASSERT_EQ(bare.exit_code, 0) << bare.err;
  EXPECT_CONTAINS(bare.err,
                  "it compares what needs no weights (none were found here); edit backbones, target and split, "
                  "then: vise-eval run --task bare.yaml");
  EXPECT_CONTAINS(read_text(program / "bare.yaml"),
                  "backbones: [random-resnet18, colour-histogram]\nbaseline: colour-histogram\n");
  const Outcome ran = program.run({"run", "--task", "bare.yaml", "--out", "out"});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_CONTAINS(ran.out, "| random-resnet18");
  write_file_atomically(program / "weights/resnet50-0676ba61.pth", "looked for, not into");
  program.set("VISE_WEIGHTS", program / "weights");
  const Outcome found = program.run({"init-task", folder, "--out", "found.yaml"});
  ASSERT_EQ(found.exit_code, 0) << found.err;
  EXPECT_CONTAINS(found.err, "it compares imagenet-v1; edit ");
  EXPECT_CONTAINS(read_text(program / "found.yaml"),
                  "backbones: [imagenet-v1, colour-histogram]\nbaseline: imagenet-v1\n");
}

// Votes, several labels or one column of numbers: a table that leaves no choice needs no --target.
TEST(Tasks, TakeTheTargetThatATableLeavesNoChoiceAbout) {
  Program program;
  photos(program);
  std::string votes = "path,votes:calm,votes:tense\n", labels = "path,labels\n", warmth = "path,warmth\n",
              two = "path,warmth,size\n";
  for (const std::string mood : {"calm", "tense"})
    for (int i = 0; i < 10; ++i) {
      const std::string path = fmt::format("photos/{}/{}.png", mood, i);
      votes += fmt::format("{},{},{}\n", path, mood == "calm" ? 4 : 1, mood == "calm" ? 1 : 4);
      labels += fmt::format("{},{}{}\n", path, mood, i % 2 == 0 ? "|even" : "");
      warmth += fmt::format("{},{}.5\n", path, mood == "calm" ? i : 50 + i);
      two += fmt::format("{},{}.5,{}\n", path, i, i);
    }
  for (const auto& [name, text, said] : {std::tuple("votes", votes, "votes: label (calm, tense)"),
                                         {"labels", labels, "labels: labels (calm, even, tense)"},
                                         {"warmth", warmth, "warmth: warmth"}}) {
    const Path table = program / fmt::format("{}.csv", name);
    write_file_atomically(table, text);
    const Outcome ran = program.run({"run", "--data", table, "--backbone", "colour-histogram", "--out", name});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_CONTAINS(ran.out, said);
  }
  write_file_atomically(program / "two.csv", two);
  const Outcome choice = program.run({"run", "--data", "two.csv", "--backbone", "colour-histogram", "--out", "two"});
  EXPECT_EQ(choice.exit_code, 2);
  EXPECT_CONTAINS(choice.err, "--target size, or --target warmth");
  const Outcome none = program.run({"run", "--data", "photos/calm", "--backbone", "colour-histogram", "--out", "none"});
  EXPECT_EQ(none.exit_code, 4);
  EXPECT_CONTAINS(none.err, "a folder for each class");
}

// Ages as labels, a split's names, a name for each picture: a person is asked, and answers.
TEST(Labels, ThatMayBeNoClassesAreAskedAboutAndListedByAudit) {
  Program program;
  photos(program);
  std::string table = "picture,age,part,name\n";
  for (const std::string mood : {"calm", "tense"})
    for (int i = 0; i < 10; ++i)
      table += fmt::format("photos/{0}/{1}.png,{2},{3},{0}-{1}\n", mood, i, (mood == "calm" ? 20 : 60) + i % 5,
                           i < 6 ? "train" : "test");
  write_file_atomically(program / "people.csv", table);
  const auto with = [&](const std::string& verb, std::vector<std::string> more) {
    std::vector<std::string> command{verb, "--data", "people.csv", "--path-column", "picture"};
    command.insert(command.end(), more.begin(), more.end());
    if (verb == "run") command.insert(command.end(), {"--backbone", "colour-histogram", "--out", "out"});
    return program.run(command);
  };
  for (const auto& [column, said] : {std::pair("age", "are 10 different numbers"),
                                     {"part", "are the names of a split"},
                                     {"name", "are 20 different ones for 20 images"}}) {
    const Outcome asked = with("run", {"--label-column", column});
    EXPECT_EQ(asked.exit_code, 2) << asked.out << asked.err;
    EXPECT_CONTAINS(asked.err, said);
    EXPECT_CONTAINS(asked.err, "--label-kind");
    const Outcome listed = with("audit", {"--label-column", column});
    EXPECT_EQ(listed.exit_code, 1) << listed.err;
    EXPECT_CONTAINS(listed.out, fmt::format("are these the labels? They {}", said));
    EXPECT_CONTAINS(listed.out, "split: none (labels to be asked about)");
    // A split that is asked for is looked at all the same, where one can be drawn.
    const Outcome drawn = with("audit", {"--label-column", column, "--split-seed", "3"});
    EXPECT_EQ(drawn.exit_code, 1) << drawn.err;
    EXPECT_CONTAINS(drawn.out, fmt::format("are these the labels? They {}", said));
    EXPECT_CONTAINS(drawn.out + drawn.err,
                    column == std::string("name") ? "the split that was asked for can't be drawn" : "(seed 3)");
  }
  const Outcome values = with("run", {"--label-column", "age", "--label-kind", "values", "--split-column", "part"});
  EXPECT_EQ(values.exit_code, 0) << values.err;
  EXPECT_CONTAINS(values.out, "R2");
  EXPECT_CONTAINS(values.out, "official (column 'part' of people.csv)");
  // The plan names the columns too, so that the same cells are found again.
  const Outcome again = program.run({"run", "out/plan.yaml", "--out", "out"});
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_CONTAINS(again.err, "0 fitted, 1 known");
  // A split file divides what other labels can't.
  std::string split;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(program / "out/splits"))
    if (entry.path().extension() == ".csv") split = entry.path().string();
  const Outcome by_file = with("audit", {"--label-column", "part", "--split", split});
  EXPECT_EQ(by_file.exit_code, 1) << by_file.err;
  EXPECT_CONTAINS(by_file.out, "split: file ");
  EXPECT_CONTAINS(by_file.out, "are these the labels? They are the names of a split");
  const Outcome made = program.run({"init-task", "people.csv", "--path-column", "picture", "--label-column", "age",
                                    "--label-kind", "values", "--out", "ages.yaml"});
  EXPECT_EQ(made.exit_code, 0) << made.err;
  const Outcome ran = program.run({"run", "--task", "ages.yaml", "--backbone", "colour-histogram", "--out", "ages"});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  const Outcome extracted = with("extract", {"--backbone", "colour-histogram", "--out", "features"});
  EXPECT_EQ(extracted.exit_code, 0) << extracted.err;
  const Outcome exported = with("export", {"--label-column", "part"});
  EXPECT_EQ(exported.exit_code, 0) << exported.err;
  EXPECT_EQ(program.run({"audit", "--task", "ages.yaml", "--label-column", "age"}).exit_code, 2);
}

TEST(Labels, ThatAreNotUtf8AreRefusedBeforeAnyWork) {
  Program program;
  std::string table = "path,label\n";
  for (int i = 0; i < 6; ++i) {
    const std::string name = fmt::format("{}.ppm", i);
    write_file_atomically(program / name, test::noise_picture(name, 6));
    table += fmt::format("{},{}\n", name, i % 2 ? "calme" : "f\xE9roce");
  }
  write_file_atomically(program / "moods.csv", table);
  const Outcome run = program.run({"run", "--data", "moods.csv", "--backbone", "colour-histogram", "--cache", "c"});
  EXPECT_EQ(run.exit_code, 4);
  EXPECT_CONTAINS(run.err, "the label 'f\xC3\xA9roce' is not UTF-8");
  EXPECT_CONTAINS(run.err, "iconv");
  EXPECT_FALSE(std::filesystem::exists(program / "c/features"));
}

TEST(Tasks, OfSeveralDataSetsAreNamedWhereOneIsNeeded) {
  Program program;
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"extract", "--task", "subjective", "--backbone", "colour-histogram", "--out", "o"},
        {"audit", "--task", "subjective"}}) {
    const Outcome outcome = program.run(words);
    EXPECT_EQ(outcome.exit_code, 2);
    EXPECT_CONTAINS(outcome.err, "'subjective' is a group of tasks, and here one data set is needed");
    EXPECT_CONTAINS(outcome.err, "name one of its tasks: abstract");
  }
}

// One picture in a folder that is spelt otherwise: a class of its own, unless somebody says so.
TEST(Labels, ThatMayBeMisspeltAreSaidByRunAsByAudit) {
  Program program;
  photos(program);
  write_file_atomically(program / "photos/calmm/1.png", picture("calmm", 20));
  const std::string said = "class names that may be typos: 'calmm' (1) beside 'calm' (10)";
  const Outcome ran = program.run({"run", "--data", "photos", "--backbone", "colour-histogram", "--out", "out"});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_CONTAINS(ran.err, "photos: 'label': " + said);
  EXPECT_CONTAINS(ran.out, said);
  const Outcome audit = program.run({"audit", "--data", "photos"});
  EXPECT_CONTAINS(audit.out, "class names that may be typos");
  EXPECT_CONTAINS(audit.out, "'calmm' (1) beside 'calm' (10)");
}

// Votes that tie have no winner, but a distribution like any other.
TEST(Votes, ThatTieAreNotedWhereTheLabelIsPredictedAlone) {
  Program program;
  photos(program);
  std::string votes = "path,votes:calm,votes:tense\n";
  for (const std::string mood : {"calm", "tense"})
    for (int i = 0; i < 10; ++i)
      votes +=
          fmt::format("photos/{}/{}.png,{},{}\n", mood, i, mood == "calm" ? 4 : 1, mood == "tense" || i == 0 ? 4 : 1);
  write_file_atomically(program / "votes.csv", votes);
  const std::string said = "1 items whose votes tie have no label";
  for (const std::string target : {"label", "votes"}) {
    const Outcome ran = program.run(
        {"run", "--data", "votes.csv", "--target", target, "--backbone", "colour-histogram", "--out", target});
    ASSERT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_EQ(test::contains(ran.err, said), target == "label") << ran.err;
    EXPECT_EQ(test::contains(ran.out, said), target == "label") << ran.out;
    const Outcome audit = program.run({"audit", "--data", "votes.csv", "--target", target});
    EXPECT_EQ(test::contains(audit.err, said), target == "label") << audit.err;
  }
}

TEST(Tasks, TakeAnotherTargetFromTheCommandLine) {
  Program program;
  photos(program);
  std::string table = "path,label,warmth\n";
  for (const std::string mood : {"calm", "tense"})
    for (int i = 0; i < 10; ++i)
      table += fmt::format("photos/{}/{}.png,{},{}.5\n", mood, i, mood, mood == "calm" ? i : 50 + i);
  write_file_atomically(program / "moods.csv", table);
  write_file_atomically(program / "moods.yaml", "data: moods.csv\nmetric: f1_macro\nbackbones: [colour-histogram]\n");
  const Outcome values = program.run({"run", "--task", "moods.yaml", "--target", "warmth", "--out", "out"});
  EXPECT_EQ(values.exit_code, 0) << values.err;
  EXPECT_CONTAINS(values.out, "moods: warmth");
  EXPECT_CONTAINS(values.out, "R2");
  const Outcome unknown = program.run({"run", "--task", "moods.yaml", "--target", "warmht", "--out", "out"});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_CONTAINS(unknown.err, "warmth");
}

// The table of an export holds the very split that a run draws.
TEST(Export, GivesTheSplitOfTheRun) {
  Program program;
  const Path folder = photos(program);
  ASSERT_EQ(
      program.run({"run", "--data", folder, "--backbone", "colour-histogram", "--out", program / "out"}).exit_code, 0);
  const Outcome table = program.run({"export", "--data", folder});
  ASSERT_EQ(table.exit_code, 0) << table.err;
  const CsvTable exported = CsvTable::parse(table.out, "stdout");
  std::set<std::string> of_export, of_run;
  for (std::size_t r = 0; r < exported.rows(); ++r)
    of_export.insert(exported.cell(r, exported.column("path")) + " " + exported.cell(r, exported.column("split")));
  for (const auto& entry : std::filesystem::directory_iterator(program / "out/splits")) {
    const CsvTable split = CsvTable::parse(read_text(entry.path()), "split");
    for (std::size_t r = 0; r < split.rows(); ++r) of_run.insert(split.cell(r, 0) + " " + split.cell(r, 1));
  }
  EXPECT_EQ(of_export.size(), 20u);
  EXPECT_EQ(of_export, of_run);
}

TEST(Export, WritesFeaturesByPart) {
  Program program;
  const Path folder = photos(program);
  const Outcome out = program.run(
      {"export", "--data", folder, "--format", "libsvm", "--backbone", "colour-histogram", "--out", program / "svm"});
  ASSERT_EQ(out.exit_code, 0) << out.err;
  const std::string train = read_text(program / "svm/train.libsvm");
  EXPECT_EQ(std::count(train.begin(), train.end(), '\n'), 12);
  const Outcome refused = program.run({"export", "--data", folder, "--format", "npy"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_NE(refused.err.find("--backbone and --out are needed"), std::string::npos);
}

// Every task whose data isn't there says what tree it expects, before it looks for weights.
TEST(Tasks, ShowTheExpectedTreeWhereDataIsMissing) {
  Program program;
  const Json list = parse_json(program.run({"list", "tasks", "--json"}).out, "stdout");
  EXPECT_GT(list.size(), 30u);
  for (const Json& entry : list) {
    const std::string name = entry["name"];
    if (name == "demo" || name == "smoke") continue;  // drawn by the program
    const Outcome out = program.run({"run", "--task", name, "--data-root", program / "nothing"});
    EXPECT_EQ(out.exit_code, 3) << name << out.err;
    EXPECT_NE(out.err.find("put it under a data root as\n"), std::string::npos) << name << out.err;
  }
}

}  // namespace
}  // namespace vise
