#include "cli/completion.h"

#include <fmt/format.h>

#include <functional>
#include <map>

#include "base/text.h"
#include "datasets/dataset.h"
#include "experiments/study.h"
#include "experiments/task.h"
#include "extract/features/backbone.h"
#include "extract/images/transform/transform.h"
#include "probes/probe.h"

namespace vise::cli {
namespace {

// What may be named: the registries and libraries that the verbs themselves read.
std::vector<Candidate> tasks() {
  std::vector<Candidate> found;
  const experiments::TaskLibrary library;
  for (const std::string& name : library.names()) found.push_back({name, library.find(name).title});
  for (const std::string& group : library.groups()) found.push_back({group, "a group of tasks"});
  return found;
}

std::vector<Candidate> backbones() {
  std::vector<Candidate> found;
  for (const features::Backbone& backbone : features::registry_backbones())
    found.push_back({backbone.name, backbone.title});
  return found;
}

std::vector<Candidate> probes() {
  std::vector<Candidate> found;
  for (const std::string& name : probes::ProbeRegistry::instance().names())
    found.push_back({name, probes::ProbeRegistry::instance().info(name).title});
  return found;
}

std::vector<Candidate> studies() {
  std::vector<Candidate> found;
  for (const auto& [name, yaml] : experiments::builtin_studies())
    found.push_back({name, experiments::study_title(yaml, name)});
  return found;
}

std::vector<Candidate> transforms() {
  std::vector<Candidate> found;
  for (const std::string& name : images::transform_names()) found.push_back({name, ""});
  return found;
}

// What a type name promises (session.h lists them).
struct Kind {
  std::function<std::vector<Candidate>()> names;
  PathsToo paths = PathsToo::none;
};

std::string first_word(const std::string& type) { return type.substr(0, type.find_first_of("[ ")); }

const Kind& kind_of(const std::string& type) {
  static const std::map<std::string, Kind> kinds{{"T", {tasks, PathsToo::files}},
                                                 {"B", {backbones}},
                                                 {"P", {probes}},
                                                 {"STUDY.yaml", {studies, PathsToo::files}},
                                                 {"TRANSFORM", {transforms}},
                                                 {"DIR", {{}, PathsToo::folders}},
                                                 {"RUN", {{}, PathsToo::folders}},
                                                 {"FILE", {{}, PathsToo::files}},
                                                 {"PATH", {{}, PathsToo::files}},
                                                 {"X.npy", {{}, PathsToo::files}}};
  static const Kind nothing;
  const auto found = kinds.find(first_word(type));
  return found == kinds.end() ? nothing : found->second;
}

// Adds those of `from` that begin as what was typed, with `prefix` before them since the shell replaces the whole word.
void keep(std::vector<Candidate> from, std::string_view prefix, std::string_view typed, Completion& completion) {
  for (Candidate& candidate : from)
    if (candidate.word.starts_with(typed))
      completion.candidates.push_back({std::string(prefix) + candidate.word, std::move(candidate.text)});
}

// The value of an option or argument; `prefix` is what precedes it in the same word ("--backbone=", or "").
// A list behind commas is completed at its last part.
void complete_value(const CommandOption& option, std::string prefix, std::string typed, Completion& completion) {
  const Kind& kind = kind_of(option.value);
  if (first_word(option.value) == "B" && typed.find('=') != std::string::npos) {  // NAME=FILE[,option=value]
    // Behind the comma come options, and there is nothing to offer for their values.
    if (typed.find(',') == std::string::npos) completion.paths = PathsToo::files;
    return;
  }
  if (const auto comma = typed.rfind(','); comma != std::string::npos && option.value.find("[,") != std::string::npos) {
    prefix += typed.substr(0, comma + 1);
    typed.erase(0, comma + 1);
  }
  for (const std::string& choice : option.choices) keep({{choice, ""}}, prefix, typed, completion);
  if (kind.names) keep(kind.names(), prefix, typed, completion);
  // Files are offered only where no name fits: else each Tab would mix registry names
  // with the folder's contents.
  if (completion.candidates.empty()) completion.paths = kind.paths;
}

// Options are offered with their sentences of --help, which zsh shows beside them.
void complete_option_name(const Command& verb, std::string_view typed, Completion& completion) {
  for (const CommandOption& option : verb.options)
    if (!option.positional) keep({{option.name, option.text}}, "", typed, completion);
}

const CommandOption* find_option(const Command& verb, std::string_view name) {
  for (const CommandOption& option : verb.options)
    if (!option.positional && (option.name == name || option.short_name == name)) return &option;
  return nullptr;
}

// The option whose value comes next after these words, or the positional argument that is next, or nullptr.
// Words are counted as CLI11 would take them: an option takes at most `most` values, the rest are positional.
const CommandOption* expected(const Command& verb, const std::vector<std::string>& before) {
  std::size_t positionals = 0, open = 0;
  const CommandOption* option = nullptr;
  for (const std::string& word : before) {
    if (word.starts_with("--")) {
      option = word.find('=') == std::string::npos ? find_option(verb, word) : nullptr;
      // How many of the next words are this option's values.
      open = option ? option->most : 0;
    } else if (open > 0) {
      --open;
    } else {
      ++positionals;
    }
  }
  if (open > 0) return option;
  for (const CommandOption& argument : verb.options)
    if (argument.positional) {
      if (positionals < argument.most) return &argument;
      positionals -= argument.most;
    }
  return nullptr;
}

// By what is before the cursor: "--option=", "-", an option's value, or an argument.
void complete_word(const Command& verb, const std::vector<std::string>& before, const std::string& typed,
                   Completion& completion) {
  const auto equals = typed.find('=');
  if (typed.starts_with("--") && equals != std::string::npos) {
    const CommandOption* const option = find_option(verb, typed.substr(0, equals));
    if (option) complete_value(*option, typed.substr(0, equals + 1), typed.substr(equals + 1), completion);
    return;
  }
  if (typed.starts_with("-")) return complete_option_name(verb, typed, completion);
  const CommandOption* const next = expected(verb, before);
  if (next) return complete_value(*next, "", typed, completion);
  complete_option_name(verb, typed, completion);
}

void complete_verb(const Command& verb, std::string_view typed, Completion& completion) {
  for (const Command& inner : verb.verbs) keep({{inner.name, inner.about}}, "", typed, completion);
}

}  // namespace

Completion complete(const Command& program, const std::vector<std::string>& words) {
  Completion completion;
  if (words.empty()) return completion;
  std::vector<std::string> before(words.begin(), words.end() - 1);
  const std::string& typed = words.back();
  // `help` takes verbs as its words, and has no options worth offering.
  if (!before.empty() && before.front() == "help" && !typed.starts_with("-")) {
    before.erase(before.begin());
    const Command& verb = find_verb(program, before);
    if (before.empty()) complete_verb(verb, typed, completion);
    return completion;
  }
  const Command* verb = &find_verb(program, before);
  if (before.empty() && !verb->verbs.empty()) complete_verb(*verb, typed, completion);
  // Options without a verb are run's.
  const bool is_run = verb == &program && (before.empty() ? typed : before.front()).starts_with("--");
  if (is_run && before.empty()) complete_option_name(program, typed, completion);
  if (is_run) verb = program.verb("run");
  if (verb->verbs.empty() || typed.starts_with("-")) complete_word(*verb, before, typed, completion);
  return completion;
}

// One candidate a line, its sentence behind a tab; the last line says what the shell is to add of its own: no paths,
// files or folders.
std::string completion_lines(const Completion& completion) {
  std::string lines;
  for (const Candidate& candidate : completion.candidates)
    lines += fmt::format("{}\t{}\n", candidate.word, candidate.text);
  const char* const paths = completion.paths == PathsToo::none    ? "none"
                            : completion.paths == PathsToo::files ? "files"
                                                                  : "folders";
  return lines + fmt::format(":{}\n", paths);
}

}  // namespace vise::cli
