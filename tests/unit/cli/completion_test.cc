// Shell completion, asked as the scripts ask and through real shells.
#include "tests/unit/cli/help_text.h"

namespace vise::cli {
namespace {

using test::contains;
using test::run_file;
using test::run_program;

struct Answer {
  std::set<std::string> words;
  std::string paths;  // "none", "files", "folders"
};

Answer ask(std::vector<std::string> words) {
  words.insert(words.begin(), {"complete", "--"});
  Answer answer;
  for (const std::string& line : split(run_program(words).out, '\n'))
    if (line.starts_with(':'))
      answer.paths = line.substr(1);
    else if (!line.empty())
      answer.words.insert(line.substr(0, line.find('\t')));
  return answer;
}

std::vector<std::string> words_of(const std::string& text) { return split(text, ' '); }

using Words = std::set<std::string>;

TEST(Completion, OffersEveryVerb) {
  const Words verbs = ask({""}).words;
  const auto shown = test::names_below(run_program({"--help"}).out, "Subcommands:");
  EXPECT_EQ(verbs, Words(shown.begin(), shown.end()));
  EXPECT_EQ(ask({"ca"}).words, Words{"cache"});
  EXPECT_EQ(ask({"help", "cache", "m"}).words, Words{"merge"});
  EXPECT_EQ(ask({"cache", ""}).words, (Words{"list", "verify", "gc", "merge"}));
}

TEST(Completion, OffersEveryOptionOfEveryVerbAndNoOther) {
  for (const auto& [verb, help] : test::help_of_every_verb()) {
    std::vector<std::string> words = words_of(verb);
    words.emplace_back("--");
    EXPECT_EQ(ask(words).words, test::options_in(help)) << verb;
  }
}

TEST(Completion, WithoutAVerbOffersRunsOptions) {
  const Words offered = ask({"--"}).words;
  for (const std::string& option : test::options_in(run_program({"run", "--help"}).out))
    EXPECT_TRUE(offered.contains(option)) << option;
  EXPECT_TRUE(offered.contains("--version"));
  EXPECT_EQ(ask({"--task", "hatef"}).words, Words{"hateful-memes"});
}

Words listed(const std::string& kind) {
  Words names;
  const Json list = run_program({"list", kind, "--json"}).json_lines().at(0);
  for (const Json& entry : list) names.insert(entry["name"]);
  return names;
}

TEST(Completion, OffersTheNamesThatListShows) {
  EXPECT_EQ(ask({"run", "--task", ""}).words, listed("tasks"));
  EXPECT_EQ(ask({"run", "--backbone", ""}).words, listed("backbones"));
  EXPECT_EQ(ask({"run", "--probe", ""}).words, listed("probes"));
  EXPECT_EQ(ask({"backbone", "show", ""}).words, listed("backbones"));
  EXPECT_EQ(ask({"run", "vise-tr"}).words, Words{"vise-transfer"});
}

TEST(Completion, OffersChoicesAndTheRestOfAList) {
  EXPECT_EQ(ask({"run", "--overwrite", ""}).words, (Words{"never", "missing", "always"}));
  EXPECT_EQ(ask({"run", "--precision", "b"}).words, Words{"bf16"});
  EXPECT_EQ(ask({"run", "--engine=on"}).words, Words{"--engine=onednn"});
  EXPECT_EQ(ask({"list", "ba"}).words, Words{"backbones"});
  EXPECT_EQ(ask({"run", "--backbone", "imagenet-v1,vise-1"}).words, Words{"imagenet-v1,vise-1.2m"});
}

TEST(Completion, OffersPathsWherePathsStand) {
  EXPECT_EQ(ask({"run", "--data", "x"}).paths, "files");
  EXPECT_EQ(ask({"run", "--cache", ""}).paths, "folders");
  EXPECT_EQ(ask({"run", "--backbone", "mine="}).paths, "files");
  EXPECT_EQ(ask({"run", "--backbone", "mine=a.pth,ar"}).paths, "none");
  EXPECT_EQ(ask({"run", "--task", "no-such-task"}).paths, "files");
  EXPECT_EQ(ask({"report", ""}).paths, "folders");
  EXPECT_EQ(ask({"image", "inspect", ""}).paths, "files");
  EXPECT_EQ(ask({"probe", "--val", "X.npy", ""}).paths, "files");
  EXPECT_EQ(ask({"run", "--seeds", ""}).words, Words{});
}

// A word in braces is one that the option takes: nobody else than the option itself knows that.
TEST(Completion, OffersOnlyChoicesThatAreTaken) {
  const std::regex option("\n  (--[a-z-]+) (?:TEXT:)?\\{([^}]*)\\}");
  const test::ScratchDir dir;
  int tried = 0;
  for (const std::string verb : {"run", "extract"}) {
    const auto code_with = [&](const std::string& name, const std::string& value) {
      const auto ran = run_program(
          {verb, "--data", "nowhere", "--backbone", "random", "--out", (dir / "out").string(), name, value});
      // A CPU refuses fp16, which it knows: as it refuses bf16 where it has no instructions for it.
      return ran.code == 2 && contains(ran.err, "is for CUDA devices") ? 3 : ran.code;
    };
    const std::string help = run_program({verb, "--help"}).out;
    for (std::sregex_iterator match(help.begin(), help.end(), option), end; match != end; ++match)
      for (const std::string& choice : split((*match)[2].str(), ',')) {
        EXPECT_EQ(code_with((*match)[1], choice), 3) << verb << " " << (*match)[1] << " " << choice;
        ++tried;
      }
    EXPECT_EQ(code_with("--views", "none"), 2) << verb;
  }
  EXPECT_GE(tried, 20);
}

class Shell : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(dir_ / "folder one"); }

  std::string script(const std::string& shell) const {
    const Path file = dir_ / ("vise-eval." + shell);
    write_file_atomically(file, run_program({"completion", shell}).out);
    return file.string();
  }

  test::ScratchDir dir_;
};

// COMP_WORDS as bash itself splits them, COMPREPLY as it would show it.
TEST_F(Shell, BashCompletesVerbsOptionsNamesListsAndFiles) {
  write_file_atomically(dir_ / "run7.pth", std::string_view("x"));
  write_file_atomically(dir_ / "ask", "source " + script("bash") + R"script(
cd "$1" && shift
COMP_WORDS=(")script" VISE_BINARY_DIR R"script(/vise-eval" "$@") COMP_CWORD=$#
_vise_eval "${COMP_WORDS[0]}" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\n' "${COMPREPLY[@]}"
)script");
  const auto reply = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"--norc", (dir_ / "ask").string(), dir_.path().string()});
    const test::Ran ran = run_file("/bin/bash", words);
    EXPECT_EQ(ran.err, "");
    return std::string(trim(ran.out));
  };
  EXPECT_EQ(reply({"ver"}), "verify");
  EXPECT_EQ(reply({"run", "--base"}), "--baseline");
  EXPECT_EQ(reply({"run", "--task", "hatef"}), "hateful-memes");
  EXPECT_EQ(reply({"run", "--backbone", "imagenet-v1,vise-1"}), "imagenet-v1,vise-1.2m");
  EXPECT_EQ(reply({"run", "--engine", "=", "to"}), "torch");
  EXPECT_EQ(reply({"run", "--backbone", "mine", "=", "ru"}), "run7.pth");
  EXPECT_EQ(reply({"run", "--backbone", "mine", "=", "ru", "--over"}), "--overwrite");
  EXPECT_EQ(reply({"run", "--out", "fol"}), "folder one");
  EXPECT_EQ(reply({"nonsense", "--seeds"}), "");
}

TEST_F(Shell, BashScriptIsRegisteredForTheProgram) {
  const test::Ran ran = run_file("/bin/bash", {"--norc", "-c", "source " + script("bash") + "; complete -p vise-eval"});
  EXPECT_EQ(ran.out, "complete -F _vise_eval vise-eval\n");
}

// Keys are typed into a zsh of its own on a pseudo-terminal; Ctrl-O prints the line as completion left it.
constexpr const char* kTyping = R"script(
zmodload zsh/zpty
zpty shell zsh -f -i
tell() { zpty -w shell "$1" }
wait_for() { local seen; zpty -r -m shell seen "*$1*" && print -r -- "$seen" }
tell "unsetopt zle_bracketed_paste beep prompt_cr prompt_sp; PS1='' PS2=''; path=($2 \$path); cd $1"
tell 'show() { local typed=$BUFFER; BUFFER=; zle -I; print -r -- "line<$typed>" }; zle -N show; bindkey "^O" show'
tell "autoload -Uz compinit; compinit -u -D; source $3; print re''ady"
wait_for ready > /dev/null
shift 3
for keys; do
  zpty -w -n shell "$keys"$'\t'
  zpty -w -n shell $'\C-O'
  wait_for 'line<*>'
done
)script";

TEST_F(Shell, ZshCompletesOnATerminal) {
  if (!std::filesystem::exists("/usr/bin/zsh")) GTEST_SKIP() << "skipped: no zsh";
  const std::string completion = script("zsh"), typing = (dir_ / "typing").string();
  EXPECT_EQ(run_file("/usr/bin/zsh", {"-f", "-n", completion}).err, "");
  write_file_atomically(dir_ / "run7.pth", std::string_view("x"));
  write_file_atomically(typing, std::string_view(kTyping));
  const test::Ran ran = run_file(
      "/usr/bin/zsh", {"-f", typing, dir_.path().string(), VISE_BINARY_DIR, completion, "vise-eval verif",
                       "vise-eval run --task hatef", "vise-eval run --backbone mine=ru", "vise-eval run --engine=to",
                       "vise-eval run --backbone imagenet-v1,vise-1", "vise-eval run --out fol"});
  for (const char* line : {"vise-eval verify ", "vise-eval run --task hateful-memes ",
                           "vise-eval run --backbone mine=run7.pth ", "vise-eval run --engine=torch ",
                           "vise-eval run --backbone imagenet-v1,vise-1.2m ", "vise-eval run --out folder\\ one/"})
    EXPECT_TRUE(contains(ran.out, std::string("line<") + line + ">")) << line << "\n" << ran.out << ran.err;
}

}  // namespace
}  // namespace vise::cli
