// docs/troubleshooting.md names messages that the program has, and every message of exit code 3.
#include <algorithm>

#include "base/text.h"
#include "tests/program/program.h"

namespace vise::test {
namespace {

const std::string kEllipsis = "…";
constexpr std::string_view kPunctuation = " :,;()'.\n";

// The literals of a source, joined where they are adjacent, one a line; escapes stay as they are written,
// but a quoted quotation mark.
std::string literals(const std::string& source) {
  std::string all;
  bool inside = false;
  for (std::size_t i = 0; i < source.size(); ++i) {
    const char c = source[i];
    if (inside && c == '\\') {
      if (source[i + 1] != '"') all += c;
      all += source[++i];
    } else if (c == '\'' && !inside && source[i + 1] == '"') {
      ++i;  // the character '"'
    } else if (c == '"') {
      inside = !inside;
      if (inside) continue;
      const std::size_t next = source.find_first_not_of(" \n", i + 1);
      if (next != std::string::npos && source[next] == '"')
        i = next, inside = true;
      else
        all += '\n';
    } else if (inside) {
      all += c;
    } else if (source.compare(i, 2, "//") == 0) {
      i = std::min(source.find('\n', i), source.size()) - 1;
    }
  }
  return all;
}

std::vector<Path> sources() {
  std::vector<Path> all;
  for (const char* room : {"base", "datasets", "extract", "probes", "experiments", "reports", "cli"})
    for (const auto& entry : std::filesystem::recursive_directory_iterator(Path(VISE_SOURCE_DIR) / room))
      if (entry.path().extension() == ".cc") all.push_back(entry.path());
  return all;
}

// What is in code spans in the first column of the page's tables.
std::vector<std::string> quoted_messages(const std::string& page) {
  std::vector<std::string> messages;
  for (const std::string& line : split(page, '\n')) {
    if (!line.starts_with("| `")) continue;
    const std::vector<std::string> spans = split(line.substr(0, line.find(" | ", 2)), '`');
    for (std::size_t i = 1; i < spans.size(); i += 2) messages.push_back(spans[i]);
  }
  return messages;
}

std::vector<std::string> pieces(std::string text, const std::string& gap) {
  std::vector<std::string> all;
  for (std::size_t at = 0; (at = text.find(gap)) != std::string::npos; text.erase(0, at + gap.size()))
    all.emplace_back(trim(text.substr(0, at)));
  all.emplace_back(trim(text));
  std::erase_if(all, [](const std::string& piece) { return piece.size() < 3; });
  return all;
}

TEST(Troubleshooting, QuotesMessagesThatTheProgramHas) {
  std::string program;
  for (const Path& source : sources()) program += literals(read_text(source));
  const std::vector<std::string> messages =
      quoted_messages(read_text(Path(VISE_SOURCE_DIR) / "docs/troubleshooting.md"));
  EXPECT_GT(messages.size(), 100u);
  for (const std::string& message : messages)
    for (const std::string& piece : pieces(message, kEllipsis))
      EXPECT_TRUE(contains(program, piece)) << "no source says: " << piece << "\nof: " << message;
}

// The longest stretch without a value in it, of the text that `call` begins its message with; empty if it is none.
std::string spoken_part(const std::string& call) {
  const std::string message = call.substr(call.find(',') + 1);
  const std::size_t start = message.find_first_not_of(" \n");
  if (start == std::string::npos || (message[start] != '"' && message.compare(start, 11, "fmt::format") != 0))
    return "";
  const std::string said = literals(message);
  std::string longest;
  for (std::string piece : split(said.substr(0, said.find('\n')), '{')) {
    piece.erase(0, piece.find('}') + 1);
    const std::size_t first = piece.find_first_not_of(kPunctuation), last = piece.find_last_not_of(kPunctuation);
    if (first != std::string::npos && last - first >= longest.size()) longest = piece.substr(first, last - first + 1);
  }
  return longest;
}

TEST(Troubleshooting, HasEveryMessageOfExitCode3) {
  const std::string page = read_text(Path(VISE_SOURCE_DIR) / "docs/troubleshooting.md");
  std::size_t found = 0;
  for (const Path& source : sources()) {
    const std::string code = read_text(source), kind = "ErrorKind::missing,";
    for (std::size_t at = code.find(kind); at != std::string::npos; at = code.find(kind, at + 1)) {
      const std::string message = spoken_part(code.substr(at, code.find(';', at) - at));
      if (message.size() < 4) continue;
      ++found;
      EXPECT_TRUE(contains(page, message)) << "docs/troubleshooting.md has no cure for: " << message;
    }
  }
  EXPECT_GT(found, 20u);
}

}  // namespace
}  // namespace vise::test
