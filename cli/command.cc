#include "cli/command.h"

#include <CLI/CLI.hpp>

#include "base/text.h"

namespace vise::cli {
namespace {

// CLI11 appends what validators say: "TEXT:{fail,skip}", "N:INT in [1 - 4096]". Choices take the place of the type; of
// other validators nothing is kept. A colon between brackets is the type's own, "RUN[:ROW]".
std::string value_of(const std::string& type) {
  const auto open = type.find('{');
  if (open != std::string::npos) return type.substr(open, type.find('}') - open + 1);
  int depth = 0;
  for (std::size_t i = 0; i < type.size(); ++i) {
    depth += (type[i] == '[') - (type[i] == ']');
    if (type[i] == ':' && depth == 0) return type.substr(0, i);
  }
  return type;
}

// One option in the words of --help, without CLI11's types: manual and completion see nothing else of it.
CommandOption describe(const CLI::Option& option) {
  CommandOption described;
  described.positional = option.get_positional();
  described.name = option.get_lnames().empty() ? option.get_name(true) : "--" + option.get_lnames().front();
  if (!option.get_snames().empty()) described.short_name = "-" + option.get_snames().front();
  described.text = option.get_description();
  described.required = option.get_required();
  // 0 items: a flag, which takes no value.
  described.most = static_cast<std::size_t>(option.get_items_expected_max());
  if (described.most == 0) return described;
  described.value = value_of(option.get_type_name());
  if (described.value.starts_with('{'))
    described.choices = split(std::string_view(described.value).substr(1, described.value.size() - 2), ',');
  return described;
}

// The verb and all verbs below it; the filter that takes any is there since CLI11 else lists only those that were
// parsed.
Command describe(const CLI::App& app, const std::string& path) {
  Command command{app.get_name(), path, app.get_description(), app.get_footer(), {}, {}};
  for (const CLI::Option* option : app.get_options()) command.options.push_back(describe(*option));
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; }))
    command.verbs.push_back(describe(*verb, path.empty() ? verb->get_name() : path + " " + verb->get_name()));
  return command;
}

}  // namespace

const Command* Command::verb(std::string_view wanted) const {
  for (const Command& verb : verbs)
    if (verb.name == wanted) return &verb;
  return nullptr;
}

Command describe(const CLI::App& app) { return describe(app, ""); }

// The deepest verb that the first words name; they are taken off `words`, whose rest are its arguments.
const Command& find_verb(const Command& program, std::vector<std::string>& words) {
  const Command* found = &program;
  std::size_t taken = 0;
  while (taken < words.size()) {
    const Command* const next = found->verb(words[taken]);
    if (!next) break;
    found = next;
    ++taken;
  }
  words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(taken));
  return *found;
}

}  // namespace vise::cli
