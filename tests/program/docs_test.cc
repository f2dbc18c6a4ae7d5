// README.md and docs/: links lead somewhere, and the commands shown are commands of this program.
#include <fmt/format.h>

#include "tests/unit/cli/help_text.h"

namespace vise::test {
namespace {

struct Page {
  Path path;
  std::string text;               // without code
  std::vector<std::string> code;  // lines of code blocks and spans, continued lines joined
  std::set<std::string> anchors;  // of its headings, as a code host makes them
};

// Lower case, blanks to hyphens, other punctuation away.
std::string anchor_of(std::string_view heading) {
  std::string anchor;
  for (const char c : lower(trim(heading)))
    if (c == ' ')
      anchor += '-';
    else if (std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || static_cast<signed char>(c) < 0)
      anchor += c;
  return anchor;
}

void read_prose(const std::string& line, Page& page) {
  static const std::regex span("`([^`]+)`");
  for (std::sregex_iterator match(line.begin(), line.end(), span), end; match != end; ++match)
    page.code.push_back((*match)[1]);
  page.text += std::regex_replace(line, span, "") + "\n";
  if (!line.starts_with("#")) return;
  const std::string anchor = anchor_of(line.substr(line.find_first_not_of('#')));
  for (int again = 0; !page.anchors.insert(again ? fmt::format("{}-{}", anchor, again) : anchor).second;) ++again;
}

Page read_page(const Path& path) {
  Page page{path, {}, {}, {}};
  bool fenced = false, continued = false;
  for (const std::string& line : split(read_text_file(path), '\n')) {
    if (line.starts_with("```")) {
      fenced = !fenced;
      continue;
    }
    if (!fenced && !line.starts_with("    ")) {
      read_prose(line, page);
      continued = false;
      continue;
    }
    const bool goes_on = line.ends_with("\\");
    const std::string part = goes_on ? line.substr(0, line.size() - 1) : line;
    if (continued)
      page.code.back() += part;
    else
      page.code.push_back(part);
    continued = goes_on;
  }
  return page;
}

std::vector<Page> pages() {
  const Path root = VISE_SOURCE_DIR;
  std::vector<Page> found;
  for (const char* name : {"README.md", "CONTRIBUTING.md", "CHANGELOG.md"})
    if (std::filesystem::exists(root / name)) found.push_back(read_page(root / name));
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root / "docs"))
    if (entry.path().extension() == ".md") found.push_back(read_page(entry.path()));
  return found;
}

TEST(Docs, EveryRelativeLinkLeadsToAFileAndItsHeading) {
  static const std::regex link("\\]\\(<?([^)> ]+)>?\\)");
  int followed = 0;
  for (const Page& page : pages())
    for (std::sregex_iterator match(page.text.begin(), page.text.end(), link), end; match != end; ++match) {
      const std::string target = (*match)[1];
      if (target.find("://") != std::string::npos || target.starts_with("mailto:")) continue;
      const std::string file = target.substr(0, target.find('#'));
      const Path path = file.empty() ? page.path : page.path.parent_path() / file;
      ++followed;
      const bool exists = std::filesystem::exists(path);
      EXPECT_TRUE(exists) << page.path << " links to " << target;
      if (!exists || target.find('#') == std::string::npos || path.extension() != ".md") continue;
      EXPECT_TRUE(read_page(path).anchors.contains(target.substr(target.find('#') + 1)))
          << page.path << ": no such heading: " << target;
    }
  EXPECT_GT(followed, 40);
}

// The pages that a reader is led to: each one of docs/ is linked from its index.
TEST(Docs, TheIndexNamesEveryPage) {
  const Path docs = Path(VISE_SOURCE_DIR) / "docs";
  const std::string index = read_text_file(docs / "README.md");
  for (const Page& page : pages()) {
    const std::string name = std::filesystem::relative(page.path, docs).generic_string();
    if (name.starts_with("..") || name == "README.md") continue;
    EXPECT_TRUE(contains(index, "](" + name)) << name;
  }
}

// The page's program is the one that tests/install/run builds and runs.
TEST(Docs, TheProgramThatAddsADataSetIsTheExample) {
  const Path root = VISE_SOURCE_DIR;
  const std::string program = read_text_file(root / "examples/sidecars/main.cc"),
                    page = read_text_file(root / "docs/add-a-dataset.md");
  EXPECT_TRUE(contains(page, "```cpp\n" + program + "```\n"));
}

// Words from behind "vise-eval" up to the end of the command.
std::vector<std::string> command_in(const std::string& code) {
  static const std::regex call("(?:^|[ /(])vise-eval ((?:[^#|;&>`])*)");
  std::smatch match;
  std::vector<std::string> words;
  if (!std::regex_search(code, match, call)) return words;
  for (const std::string& word : split(match[1].str(), ' '))
    if (!word.empty()) words.push_back(word);
  return words;
}

bool is_a_word(const std::string& text) { return std::regex_match(text, std::regex("[a-z][a-z-]*")); }

// Options without a verb are run's.
std::string verb_of(const std::vector<std::string>& words, const std::map<std::string, std::string>& helps) {
  if (words[0].starts_with("--")) return "run";
  if (helps.contains(words[0])) return words[0];
  return words.size() > 1 ? words[0] + " " + words[1] : words[0];
}

TEST(Docs, CommandsNameVerbsAndOptionsThatThereAre) {
  const auto helps = help_of_every_verb();
  int checked = 0;
  for (const Page& page : pages())
    for (const std::string& code : page.code) {
      const std::vector<std::string> words = command_in(code);
      if (words.empty() || !(is_a_word(words[0]) || words[0].starts_with("--")) || words[0] == "--version") continue;
      const std::string verb = verb_of(words, helps);
      const bool is_group =
          std::ranges::any_of(helps, [&](const auto& help) { return help.first.starts_with(verb + " "); });
      ASSERT_TRUE(helps.contains(verb) || is_group) << page.path << ": " << code;
      ++checked;
      if (is_group) continue;
      std::set<std::string> known = options_in(helps.at(verb));
      for (const std::string& word : words)
        if (word.starts_with("--") && word.size() > 2) {
          EXPECT_TRUE(known.contains(word.substr(0, word.find('=')))) << page.path << ": " << word << " in: " << code;
        }
    }
  EXPECT_GT(checked, 60);
}

}  // namespace
}  // namespace vise::test
