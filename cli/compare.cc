// `vise-eval compare`: the paired table of two rows or two runs.
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "cli/pick.h"
#include "cli/report.h"

namespace vise::cli {
namespace {

// Two rows of one run, `RUN A B`; else two runs or rows, `RUN[:ROW] RUN[:ROW]`.
std::pair<Picked, Picked> sides(const std::vector<std::string>& words) {
  if (words.size() == 2) return {pick(words[0]), pick(words[1])};
  const RunFolder run = read_run(words[0]);
  return {pick_row(run, words[1]), pick_row(run, words[2])};
}

// Sides that have the same backbone, as two runs of one do, are told apart by where they come from.
void name_apart(Picked& a, Picked& b) {
  const bool shared = std::ranges::any_of(a.results, [&](const Result& x) {
    return std::ranges::any_of(b.results, [&](const Result& y) { return x.cell.backbone == y.cell.backbone; });
  });
  if (!shared) return;
  for (Picked* side : {&a, &b})
    for (Result& result : side->results) {
      result.cell.backbone = fmt::format("{} [{}]", result.cell.backbone, side->word);
      result.key += fmt::format("@{}", side->word);
    }
}

void compare_verb(const std::vector<std::string>& words, Session& session) {
  if (words.size() != 2 && words.size() != 3)
    throw Error(ErrorKind::usage, "compare: two runs, or a run and two of its rows, are needed",
                "vise-eval compare RUN ROW ROW, or vise-eval compare RUN[:ROW] RUN[:ROW]");
  auto [a, b] = sides(words);
  name_apart(a, b);
  CompareOptions options;
  options.baseline = b.results.front().cell.backbone;
  const Report report = make_report({{a.folder, a.results}, {b.folder, b.results}}, options, session.context());
  session.console.end_progress();
  print_report(report, session);
}

}  // namespace

void add_compare(Verbs& verbs) {
  auto words = std::make_shared<std::vector<std::string>>();
  Session& session = verbs.session;
  CLI::App* verb =
      verbs.add("compare", "two rows or two runs side by side, paired by image; the second is the baseline",
                "  vise-eval compare vise-results/emotion vise-250m imagenet-v1\n"
                "  vise-eval compare runs/monday runs/tuesday",
                [words, &session] { compare_verb(*words, session); });
  verb->add_option("what", *words, "RUN ROW ROW, or RUN[:ROW] RUN[:ROW]; a row is a backbone, BACKBONE/PROBE or a key")
      ->required()
      ->expected(2, 3);
  verb->add_option("--threads", session.places.threads, "cores to use [all]")
      ->type_name("N")
      ->check(CLI::Range(1, 4096));
  verbs.add_json_option(verb);
}

}  // namespace vise::cli
