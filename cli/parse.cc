#include "cli/parse.h"

#include <fmt/format.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "base/version.h"
#include "cli/completion.h"
#include "cli/first_run.h"
#include "cli/lines.h"
#include "cli/session.h"

namespace vise::cli {
namespace {

constexpr const char* kAbout =
    "Evaluates frozen image features on subjective tasks: extracts pooled features exactly as published pipelines do, "
    "fits\n"
    "linear probes on them, and prints a comparison table with its proof.\n";

constexpr const char* kExamples =
    "Examples:\n"
    "  vise-eval --task demo                               # no download: drawn images, random networks\n"
    "  vise-eval --task emotion --data-root D --weights-dir W\n"
    "  vise-eval run --data faces/happy.csv --backbone mine=run7.pth --baseline imagenet-v1\n"
    "  vise-eval help run\n";

// "Exit codes: 0 done, 1 ...", for the end of --help.
std::string exit_codes() {
  std::vector<std::string> codes;
  for (const ExitCode& code : kExitCodes) codes.push_back(fmt::format("{} {}", code.code, code.what));
  return "Exit codes: " + join(codes, ", ");
}

// Options without a verb are run's.
std::vector<std::string> with_verb(std::vector<std::string> words) {
  const bool is_run = !words.empty() && words[0].starts_with("--") && words[0] != "--help" && words[0] != "--version";
  if (is_run) words.insert(words.begin(), "run");
  return words;
}

// "vise-eval backbone inspect": CLI11 knows a verb by its last name alone.
std::string full_name(const CLI::App& verb) {
  return verb.get_parent() ? full_name(*verb.get_parent()) + " " + verb.get_name() : verb.get_name();
}

// The verb that was parsed last, or the program itself where parsing failed before any.
CLI::App* chosen_verb(CLI::App& app) {
  CLI::App* verb = &app;
  while (!verb->get_subcommands().empty()) verb = verb->get_subcommands().front();
  return verb;
}

// CLI11 knows only that words are left. Which names would have been right depends on the verb.
[[noreturn]] void throw_unknown_word(CLI::App& app, const std::string& word) {
  CLI::App* const verb = chosen_verb(app);
  std::vector<std::string> known;
  const bool is_option = word.starts_with("-");
  if (is_option)
    for (const CLI::Option* option : verb->get_options()) known.push_back(option->get_name());
  else
    for (const CLI::App* sub : verb->get_subcommands([](const CLI::App*) { return true; }))
      known.push_back(sub->get_name());
  throw Error(ErrorKind::usage, fmt::format("unknown {} '{}'", is_option ? "option" : "word", word),
              fmt::format("{}{}; vise-eval {}--help", suggest(word.substr(0, word.find('=')), known),
                          known.empty() ? "none" : "", verb == &app ? "" : verb->get_name() + " "));
}

// Help and version come as exceptions from CLI11; so does each fault of the line, which becomes Error{usage} here.
int parse(CLI::App& app, Session& session, std::vector<std::string> words) {
  std::reverse(words.begin(), words.end());  // CLI11 takes them last first
  try {
    app.parse(words);
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", help_text(*chosen_verb(app)));
  } catch (const CLI::CallForVersion&) {
    fmt::print("vise-eval {}\n", kVersion);
  } catch (const CLI::ExtrasError&) {
    const std::vector<std::string> rest = app.remaining(true);
    throw_unknown_word(app, rest.empty() ? "" : rest.front());
  } catch (const CLI::ParseError& e) {
    CLI::App* const verb = chosen_verb(app);
    throw Error(ErrorKind::usage, e.what(),
                fmt::format("vise-eval {}{}--help", verb == &app ? "" : verb->get_name(), verb == &app ? "" : " "));
  }
  return session.exit_code;
}

}  // namespace

// Not App::help(), which continues to the verb that was parsed: under `help`, that is `help` itself.
std::string help_text(const CLI::App& verb) {
  return verb.get_formatter()->make_help(&verb, full_name(verb), CLI::AppFormatMode::Normal);
}

int parse_and_run(int argc, char** argv) {
  CLI::App app{kAbout, "vise-eval"};
  Session session;
  app.footer(kExamples + exit_codes());
  app.set_version_flag("--version", kVersion);
  // None, where the words are options of run (with_verb()), or one.
  app.require_subcommand(0, 1);
  app.get_formatter()->column_width(34);
  Verbs verbs{app, session};
  // In the order in which --help lists them: from a table to what looks into it.
  add_run(verbs);
  add_plan(verbs);
  add_status(verbs);
  add_extract(verbs);
  add_probe(verbs);
  add_report(verbs);
  add_compare(verbs);
  add_explain(verbs);
  add_verify(verbs);
  add_audit(verbs);
  add_export(verbs);
  add_init_task(verbs);
  add_list(verbs);
  add_backbone(verbs);
  add_image(verbs);
  add_cache(verbs);
  add_doctor(verbs);
  add_help(verbs);
  add_completion(verbs);
  // A person at a terminal gets a greeting with next steps; a script that forgot its arguments
  // gets the usage and an error's exit code.
  if (argc <= 1 && ::isatty(STDOUT_FILENO) == 1) {
    fmt::print("{}", first_run_text(session.places));
    return 0;
  }
  if (argc <= 1) {
    fmt::print("{}", help_text(app));
    return 2;
  }
  std::vector<std::string> words(argv + 1, argv + argc);
  // Asked by completion scripts: what follows "complete --" is no command line yet.
  if (words.size() >= 2 && words[0] == "complete" && words[1] == "--") {
    fmt::print("{}", completion_lines(complete(describe(app), {words.begin() + 2, words.end()})));
    return 0;
  }
  return parse(app, session, with_verb(std::move(words)));
}

}  // namespace vise::cli
