// `vise-eval help`, `vise-eval completion`: the command line about itself.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "base/error.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/completion.h"
#include "cli/manual.h"
#include "cli/session.h"

namespace vise::cli {
namespace {

// The verb that the words name, one level after another, so that the error suggests names of the right level.
void help_verb(const CLI::App& app, const std::vector<std::string>& words) {
  const CLI::App* verb = &app;
  for (const std::string& word : words) {
    std::vector<std::string> known;
    for (const CLI::App* inner : verb->get_subcommands([](const CLI::App*) { return true; }))
      known.push_back(inner->get_name());
    if (std::find(known.begin(), known.end(), word) == known.end())
      throw Error(ErrorKind::usage, fmt::format("help: there is no verb '{}'", join(words, " ")), suggest(word, known));
    verb = verb->get_subcommand(word);
  }
  fmt::print("{}", help_text(*verb));
}

}  // namespace

void add_help(Verbs& verbs) {
  auto words = std::make_shared<std::vector<std::string>>();
  auto man = std::make_shared<bool>(false);
  const CLI::App& app = verbs.app;
  CLI::App* verb = verbs.add("help", "what a verb does, its options and examples",
                             "  vise-eval help run\n  vise-eval help --man | man -l -", [=, &app] {
                               if (*man)
                                 fmt::print("{}", manual(describe(app)));
                               else
                                 help_verb(app, *words);
                             });
  verb->add_option("verb", *words, "a verb, as in: run, or backbone inspect")->type_name("VERB");
  verb->add_flag("--man", *man, "the manual of the whole program, for man(1)");
}

void add_completion(Verbs& verbs) {
  auto shell = std::make_shared<std::string>();
  CLI::App* verb = verbs.add("completion", "the script that completes this program's words in a shell",
                             "  source <(vise-eval completion bash)\n"
                             "  vise-eval completion zsh > ~/.zsh/functions/_vise-eval",
                             [=] { fmt::print("{}", completion_script(*shell)); });
  verb->add_option("shell", *shell, "which one")->required()->check(CLI::IsMember({"bash", "zsh"}));
}

}  // namespace vise::cli
