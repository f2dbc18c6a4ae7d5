// What --help says, read back as a person would: the verbs there are and the options of each.
#pragma once

#include <map>
#include <regex>
#include <set>

#include "tests/unit/cli/program.h"

namespace vise::test {

// Names that begin a line of a section of a help text, such as "Subcommands:".
inline std::vector<std::string> names_below(const std::string& help, const std::string& heading) {
  std::vector<std::string> names;
  bool inside = false;
  for (const std::string& line : split(help, '\n')) {
    if (!line.starts_with(" ")) inside = line == heading;
    if (inside && line.starts_with("  ") && line[2] != ' ')
      names.push_back(line.substr(2, line.find_first_of(" ,", 2) - 2));
  }
  return names;
}

// "--backbone" and its kin.
inline std::set<std::string> options_in(const std::string& help) {
  static const std::regex pattern("\n  (?:-[a-z],)?(--[a-z][a-z-]*)");
  std::set<std::string> found;
  for (std::sregex_iterator match(help.begin(), help.end(), pattern), end; match != end; ++match)
    found.insert((*match)[1]);
  return found;
}

// Verb ("backbone inspect") -> its --help, of every verb that does something.
inline std::map<std::string, std::string> help_of_every_verb() {
  std::map<std::string, std::string> helps;
  for (const std::string& verb : names_below(run_program({"--help"}).out, "Subcommands:")) {
    const std::string help = run_program({verb, "--help"}).out;
    const std::vector<std::string> inner = names_below(help, "Subcommands:");
    if (inner.empty()) helps[verb] = help;
    for (const std::string& name : inner) helps[verb + " " + name] = run_program({verb, name, "--help"}).out;
  }
  return helps;
}

}  // namespace vise::test
