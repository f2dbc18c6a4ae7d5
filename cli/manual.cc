#include "cli/manual.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "base/version.h"
#include "cli/lines.h"

// The page as roff source with the macros of man(7). Verbs, options and examples are read back from the tree that
// --help is made of (command.h), so that the two can't differ; only the environment, the files and the opening are
// written here. manual() puts the sections together.

namespace vise::cli {
namespace {

// A name and what it means, in a section of its own.
struct Entry {
  const char *name, *text;
};

// No registry knows them: a test compares the list with the variables that the sources read.
constexpr Entry kEnvironment[] = {
    {"VISE_CACHE",
     "Where features are kept, unless --cache says so. Otherwise $XDG_CACHE_HOME/vise-eval, or "
     "~/.cache/vise-eval."},
    {"VISE_WEIGHTS", "A folder of weights, looked into after those of --weights-dir."},
    {"TORCH_HOME", "Its hub/checkpoints is looked into next, so that what torchvision downloaded is found."},
    {"HF_HUB_CACHE", "Hugging Face's cache, where rows that are folders of its hub are looked for."},
    {"HF_HOME", "Its hub/ is looked into next, else ~/.cache/huggingface/hub."},
    {"XDG_CACHE_HOME", "Its torch/hub/checkpoints is looked into next; the last is ~/.cache/torch/hub/checkpoints."},
    {"VISE_DATA", "A data root, looked into after those of --data-root and before ./data."},
    {"VISE_OFFLINE", "1: never fetch weights, as with --offline."},
    {"VISE_MIRROR", "Takes the place of https://HOST in the addresses of weights."},
    {"HOME", "Where ~ is."},
    {"NO_COLOR", "Not empty: no colour on a terminal. TERM=dumb says the same."},
    {"TERM", "dumb: no colour."}};

constexpr Entry kFiles[] = {
    {"vise-results/TASK/",
     "What a run writes, unless --out says otherwise: results.jsonl, scores/, splits/, plan.yaml, "
     "table.md, table.csv, table.tex, report.html."},
    {"~/.cache/vise-eval/", "Kept features, by content (vise-eval cache)."},
    {"~/.cache/torch/hub/checkpoints/", "Where fetched weights go."}};

constexpr const char* kOpening =
    "vise-eval answers one question: is this frozen representation better than that one on a subjective visual task, "
    "and "
    "can a stranger check it? Images and checkpoints are read exactly as published pipelines do; linear probes are "
    "fitted "
    "at their optimum, chosen without seeing test; a comparison table comes out, with its proof beside it.";

// Letters that roff would take for its own. A hyphen that is typed has to be written as a minus.
// A plain quote or tilde is typeset as another letter (groff_char(7)), and couldn't be pasted into a shell.
std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else if (c == '~')
      out += "\\(ti";
    else if (c == '^')
      out += "\\(ha";
    else if (c == '\'')
      out += "\\(aq";
    else if (c == '`')
      out += "\\(ga";
    else
      out += c;
  }
  return out;
}

// A line that begins with a dot would be a request.
std::string shielded(std::string line) { return line.starts_with('.') ? "\\&" + line : line; }

// Words, in source lines of at most 80 bytes. What roff sees is one paragraph.
// A lone word longer than that has a line of its own.
std::string paragraph(std::string_view text) {
  constexpr std::size_t kWidth = 80;
  std::string out, line;
  for (const std::string& word : split(text, ' ')) {
    if (trim(word).empty()) continue;
    const std::string escaped = escape(trim(word));
    if (!line.empty() && line.size() + 1 + escaped.size() > kWidth) {
      out += shielded(line) + "\n";
      line.clear();
    }
    line += (line.empty() ? "" : " ") + escaped;
  }
  return out + (line.empty() ? "" : shielded(line) + "\n");
}

// A footer of --help: indented lines are commands, the others sentences.
std::string examples(std::string_view footer) {
  std::string out, sentences;
  bool open = false;
  for (const std::string& line : split(footer, '\n')) {
    const bool command = line.starts_with("  ");
    // Sentences that the page has elsewhere: the list of exit codes is a section.
    if (line.empty() || line == "Examples:" || line.starts_with("Exit codes: 0 done")) continue;
    // Unfilled and indented, as it is typed.
    if (command && !open) out += ".nf\n.RS 2\n";
    if (command) out += shielded(escape(std::string_view(line).substr(2))) + "\n";
    if (!command) sentences += line + " ";
    if (command) open = true;
  }
  if (open) out += ".RE\n.fi\n";
  if (!sentences.empty()) out += ".PP\n" + paragraph(sentences);
  return out;
}

// One paragraph of .TP: the name in bold, the value in italics, the text below.
std::string item(const std::string& bold, const std::string& value, const std::string& text) {
  const std::string head = fmt::format("\\fB{}\\fR", escape(bold));
  return fmt::format(".TP\n{}{}\n{}", head, value.empty() ? "" : fmt::format(" \\fI{}\\fR", escape(value)),
                     paragraph(text));
}

std::string item(const CommandOption& option) {
  const std::string names =
      option.short_name.empty() ? option.name : fmt::format("{}, {}", option.short_name, option.name);
  std::string value = option.value == "TEXT" ? "" : option.value;
  if (!option.choices.empty()) value = join(option.choices, "|");
  return item(names, value, option.text + (option.required ? " (required)" : ""));
}

// What must be given, and arguments; all other options are one word.
std::string synopsis(const Command& verb) {
  std::string line = fmt::format("\\fBvise\\-eval {}\\fR", escape(verb.path));
  for (const CommandOption& option : verb.options) {
    const bool named = !option.positional;
    if (named && !option.required) continue;
    const std::string shown = named ? fmt::format("\\fB{}\\fR \\fI{}\\fR", escape(option.name), escape(option.value))
                                    : fmt::format("\\fI{}\\fR{}", escape(option.name), option.most > 1 ? " ..." : "");
    line += option.required ? " " + shown : fmt::format(" [{}]", shown);
  }
  return line + " [\\fIoption\\fR ...]\n";
}

// An option with the same words everywhere is said once.
// Zero bytes separate, so that no two options are alike by accident.
std::string identity(const CommandOption& option) { return option.name + '\0' + option.value + '\0' + option.text; }

// How often each option occurs, over all verbs.
void count_options(const Command& command, std::map<std::string, int>& counts) {
  for (const CommandOption& option : command.options) ++counts[identity(option)];
  for (const Command& verb : command.verbs) count_options(verb, counts);
}

// Collects, while it writes the verbs, the options that many of them share.
class Writer {
 public:
  explicit Writer(const Command& program) { count_options(program, counts_); }

  std::string verbs_of(const Command& command) {
    std::string out;
    for (const Command& verb : command.verbs) out += verb.verbs.empty() ? section(verb) : verbs_of(verb);
    return out;
  }

  std::string common_options() const {
    std::string out;
    for (const CommandOption& option : common_) out += item(option);
    return out;
  }

 private:
  // An option of four verbs and more has its text in a section of its own; verbs name it.
  static constexpr int kOften = 4;

  std::string section(const Command& verb) {
    std::string own, shared;
    for (const CommandOption& option : verb.options) {
      if (counts_.at(identity(option)) < kOften) {
        own += item(option);
        continue;
      }
      shared += (shared.empty() ? "" : ", ") + option.name;
      const auto same = [&](const CommandOption& other) { return identity(other) == identity(option); };
      if (std::none_of(common_.begin(), common_.end(), same)) common_.push_back(option);
    }
    return fmt::format(".SS \"{}\"\n{}.PP\n{}{}.PP\n{}.PP\n{}", escape(verb.path), synopsis(verb),
                       paragraph(verb.about + "."), own, paragraph(fmt::format("Common options: {}.", shared)),
                       examples(verb.footer));
  }

  std::map<std::string, int> counts_;
  std::vector<CommandOption> common_;
};

std::string exit_codes() {
  std::string out;
  for (const ExitCode& code : kExitCodes) out += item(std::to_string(code.code), "", code.what);
  return out;
}

std::string items(std::span<const Entry> entries) {
  std::string out;
  for (const Entry& entry : entries) out += item(entry.name, "", entry.text);
  return out;
}

}  // namespace

std::string manual(const Command& program) {
  // Writing the verbs collects the common options, whose section comes behind.
  Writer writer(program);
  const std::string verbs = writer.verbs_of(program);
  std::string own;
  for (const CommandOption& option : program.options) own += item(option);
  return fmt::format(
      ".TH VISE\\-EVAL 1 {} \"vise\\-eval {}\" \"User Commands\"\n"
      ".SH NAME\nvise\\-eval \\- evaluate frozen image features on subjective visual tasks\n"
      ".SH SYNOPSIS\n\\fBvise\\-eval\\fR \\fIverb\\fR [\\fIoption\\fR ...]\n.br\n"
      "\\fBvise\\-eval\\fR \\fB\\-\\-task\\fR \\fItask\\fR [\\fIoption\\fR ...]\n"
      ".SH DESCRIPTION\n{}.PP\n{}.SH OPTIONS\n{}.SH VERBS\n{}.SH COMMON OPTIONS\n{}"
      ".SH ENVIRONMENT\n{}.SH FILES\n{}.SH EXIT STATUS\n{}.SH EXAMPLES\n{}"
      ".SH SEE ALSO\n{}",
      kReleaseDate, kVersion, paragraph(kOpening),
      paragraph(
          "Options without a verb are those of run. Results go to standard output, everything else to standard error."),
      own, verbs, writer.common_options(), items(kEnvironment), items(kFiles), exit_codes(), examples(program.footer),
      paragraph(
          "The pages below docs/ say how numbers are computed and what every file holds; in Debian's package they lie "
          "in /usr/share/doc/vise-eval/docs."));
}

}  // namespace vise::cli
