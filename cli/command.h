// The command line as data: verbs and options in the words of --help. They are declared once, in CLI11's tree; the
// manual (manual.h) and shell completion (completion.h) are made from what is read back here.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace vise::cli {

struct CommandOption {
  std::string name;                  // "--backbone"; of a positional argument its name alone, "run"
  std::string short_name;            // "-h", or ""
  std::string value;                 // what it takes, "B[,B]" or "{never,missing,always}"; "" of a flag
  std::vector<std::string> choices;  // the words between the braces
  std::string text;
  bool positional = false, required = false;
  std::size_t most = 0;  // how many words may follow at once; 0: a flag
};

struct Command {
  std::string name;  // "inspect"
  std::string path;  // "backbone inspect"; "" of the program
  std::string about, footer;
  std::vector<CommandOption> options;  // in the order of --help
  std::vector<Command> verbs;

  // The verb of that name, or nullptr.
  const Command* verb(std::string_view wanted) const;
};

Command describe(const CLI::App& app);

// The verb that `words` name, as in {"backbone", "inspect"}: the deepest one; words from the first that is no verb on
// are left. `words` loses those that were taken.
const Command& find_verb(const Command& program, std::vector<std::string>& words);

}  // namespace vise::cli
