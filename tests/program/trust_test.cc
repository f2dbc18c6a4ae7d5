// Faults of trust that a reviewer met: what two colleagues get from one table, what groups and seeds do to a number,
// and what verify sees.
#include "base/csv.h"
#include "base/json.h"
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

}  // namespace
}  // namespace vise
