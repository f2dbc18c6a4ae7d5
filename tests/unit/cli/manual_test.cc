// The manual page says what --help says, and man(1) shows it without a complaint.
#include "tests/unit/cli/help_text.h"

namespace vise::cli {
namespace {

using test::contains;
using test::run_file;
using test::run_program;

std::string manual() { return run_program({"help", "--man"}).out; }

// A page's sections by name, those below a .SS by "SS name", with roff's escapes undone.
std::map<std::string, std::string> sections(const std::string& page) {
  std::map<std::string, std::string> found;
  std::string name;
  for (std::string line : split(page, '\n')) {
    for (const auto& [from, to] : {std::pair{"\\-", "-"}, {"\\fB", ""}, {"\\fI", ""}, {"\\fR", ""}})
      for (std::size_t at = 0; (at = line.find(from, at)) != std::string::npos;)
        line.replace(at, std::string_view(from).size(), to);
    if (line.starts_with(".SH ")) name = line.substr(4);
    if (line.starts_with(".SS ")) name = "SS " + line.substr(5, line.size() - 6);
    found[name] += line + "\n";
  }
  return found;
}

// Options that have an entry of their own, and those that a verb shares with others.
std::set<std::string> options_of(const std::string& section) {
  static const std::regex entry("\n(?:-[a-z], )?(--[a-z][a-z-]*)"), shared("Common options: ([^.]*)\\.");
  std::set<std::string> found;
  const std::string text = "\n" + section;
  for (std::sregex_iterator match(text.begin(), text.end(), entry), end; match != end; ++match)
    found.insert((*match)[1]);
  std::smatch common;
  if (std::regex_search(text, common, shared))
    for (std::string name : split(common[1].str(), ',')) found.insert(std::string(trim(name)));
  return found;
}

TEST(Manual, HasEveryOptionOfEveryVerbAndNoOther) {
  const auto page = sections(manual());
  const auto helps = test::help_of_every_verb();
  ASSERT_GT(helps.size(), 20U);
  std::size_t of_verbs = 0;
  for (const auto& [verb, help] : helps) {
    ASSERT_TRUE(page.contains("SS " + verb)) << verb;
    EXPECT_EQ(options_of(page.at("SS " + verb)), test::options_in(help)) << verb;
  }
  for (const auto& [name, text] : page) of_verbs += name.starts_with("SS ");
  EXPECT_EQ(of_verbs, helps.size());
  EXPECT_EQ(options_of(page.at("OPTIONS")), test::options_in(run_program({"--help"}).out));
}

TEST(Manual, ExplainsEachSharedOption) {
  const auto page = sections(manual());
  const std::set<std::string> explained = options_of(page.at("COMMON OPTIONS"));
  for (const char* option : {"--cache", "--threads", "--offline", "--json", "--help"})
    EXPECT_TRUE(explained.contains(option)) << option;
  for (const auto& [name, text] : page) {
    std::smatch common;
    if (!std::regex_search(text, common, std::regex("Common options: ([^.]*)\\."))) continue;
    for (const std::string& option : split(common[1].str(), ','))
      EXPECT_TRUE(explained.contains(std::string(trim(option)))) << name << option;
  }
}

// The environment is read in cli/, by itself and for the places.
TEST(Manual, NamesEveryVariableOfTheEnvironmentThatTheProgramReads) {
  const std::string environment = sections(manual()).at("ENVIRONMENT");
  std::set<std::string> read;
  static const std::regex call("(?:getenv|environment)\\(\"([A-Z_]+)\"\\)");
  std::vector<Path> files{VISE_SOURCE_DIR "/experiments/places.cc"};
  for (const auto& file : std::filesystem::directory_iterator(VISE_SOURCE_DIR "/cli")) files.push_back(file.path());
  for (const Path& file : files) {
    const std::string source = read_text_file(file);
    for (std::sregex_iterator match(source.begin(), source.end(), call), end; match != end; ++match)
      read.insert((*match)[1]);
  }
  EXPECT_GE(read.size(), 8U);
  for (const std::string& name : read) EXPECT_TRUE(contains(environment, "\n" + name + "\n")) << name;
}

TEST(Manual, IsAcceptedByGroffAndMandocWithoutAWarning) {
  const test::ScratchDir dir;
  const std::string page = (dir / "vise-eval.1").string();
  write_file_atomically(page, manual());
  int judges = 0;
  if (std::filesystem::exists("/usr/bin/groff")) {
    const test::Ran ran = run_file("/usr/bin/groff", {"-man", "-ww", "-z", "-Tutf8", page});
    EXPECT_EQ(ran.err, "");
    ++judges;
  }
  if (std::filesystem::exists("/usr/bin/mandoc")) {
    const test::Ran ran = run_file("/usr/bin/mandoc", {"-Tlint", "-Wstyle", page});
    EXPECT_EQ(ran.code, 0) << ran.out;
    ++judges;
  }
  if (judges == 0) GTEST_SKIP() << "skipped: neither groff nor mandoc";
}

TEST(Help, OfAVerbIsItsHelpOptionsAndOfAnUnknownOneNamesTheNearest) {
  EXPECT_EQ(run_program({"help", "cache", "merge"}).out, run_program({"cache", "merge", "--help"}).out);
  EXPECT_EQ(run_program({"help"}).out, run_program({"--help"}).out);
  const test::Ran ran = run_program({"help", "cache", "mrege"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_TRUE(contains(ran.err, "merge")) << ran.err;
}

// Two examples a verb, as its own help shows them.
TEST(Help, OfEveryVerbHasTwoExamples) {
  for (const auto& [verb, help] : test::help_of_every_verb()) {
    int examples = 0;
    for (const std::string& line : split(help, '\n'))
      examples += line.starts_with("  ") && contains(line, "vise-eval ");
    EXPECT_GE(examples, 2) << verb << help;
  }
}

}  // namespace
}  // namespace vise::cli
