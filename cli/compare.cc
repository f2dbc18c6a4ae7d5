// `vise-eval compare`: the paired table of two rows or two runs, or of arrays.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include "base/error.h"
#include "cli/compare_arrays.h"
#include "cli/pick.h"
#include "cli/report.h"
#include "reports/compare.h"

namespace vise::cli {
namespace {

// Two rows of one run, `RUN A B`; else two runs or rows, `RUN[:ROW] RUN[:ROW]`.
std::pair<Picked, Picked> sides(const std::vector<std::string>& words) {
  if (words.size() == 2) return {pick(words[0]), pick(words[1])};
  const reports::RunFolder run = reports::read_run(words[0]);
  return {pick_row(run, words[1]), pick_row(run, words[2])};
}

// Names are compared as the tables print them.
std::set<std::string> backbones_of(const Picked& side) {
  std::set<std::string> names;
  for (const experiments::Result& result : side.results) names.insert(result.cell.backbone);
  return names;
}

// Tasks with their targets.
std::set<std::pair<std::string, std::string>> questions_of(const Picked& side) {
  std::set<std::pair<std::string, std::string>> questions;
  for (const experiments::Result& result : side.results) questions.emplace(result.cell.task, result.cell.target);
  return questions;
}

// The same data in two folders have two names: what has the same split of the same items is one task, and gets A's.
void agree_on_names(const Picked& a, Picked& b) {
  const auto known = questions_of(a);
  std::map<std::pair<std::string, std::string>, std::string> of_split;  // target and split: A's task
  for (const experiments::Result& result : a.results)
    of_split.emplace(std::pair(result.cell.target, result.split_hash), result.cell.task);
  for (experiments::Result& result : b.results) {
    const auto found = of_split.find({result.cell.target, result.split_hash});
    // A task that A has under this very name stays itself, whatever its split.
    if (result.split_hash.empty() || found == of_split.end() || known.contains({result.cell.task, result.cell.target}))
      continue;
    // Renaming is reported below the table: the reader knows the data by B's name.
    result.notes.push_back(fmt::format("{} calls these data {}.", b.word, result.cell.task));
    result.cell.task = found->second;
  }
}

// Two runs without one question in common would give two tables of one row each, which looks like a comparison.
void check_comparable(const Picked& a, const Picked& b) {
  const auto left = questions_of(a), right = questions_of(b);
  if (std::ranges::any_of(left, [&](const auto& question) { return right.contains(question); })) return;
  throw Error(
      ErrorKind::usage, fmt::format("compare: {} and {} have no task and target in common", a.word, b.word),
      "vise-eval list results says what a run holds; data under two names are one task where they have one split "
      "(--split a/splits/NAME.csv)");
}

// Sides that share backbones, as two runs do: each backbone is a table of its own, whose rows are the two sides. Tasks
// aren't tasks then, and nothing is said over them: returns whether it is so.
bool pair_by_backbone(Picked& a, Picked& b) {
  const std::set<std::string> left = backbones_of(a), right = backbones_of(b);
  std::set<std::string> shared;
  std::ranges::set_intersection(left, right, std::inserter(shared, shared.end()));
  if (shared.empty()) return false;
  for (Picked* side : {&a, &b}) {
    // Rows that only one side has can't be paired, and the table would show them beside an empty cell.
    std::erase_if(side->results,
                  [&](const experiments::Result& result) { return !shared.contains(result.cell.backbone); });
    for (experiments::Result& result : side->results) {
      result.cell.task += fmt::format(", {}", result.cell.backbone);
      result.cell.backbone = side->word;
      // Rows of two runs may have one key; without this the table would take them for one result.
      result.key += fmt::format("@{}", side->word);
    }
  }
  return true;
}

// Arrays are known by their ending; all else is about runs.
void compare_verb(const std::vector<std::string>& words, const ArrayOptions& arrays, Session& session) {
  if (are_arrays(words)) return compare_arrays(words, arrays, session);
  if (!arrays.run.files.labels.empty())
    throw Error(ErrorKind::usage, "compare: --labels are those of .npy files of features",
                "vise-eval compare A.npy B.npy --labels y.csv");
  if (words.size() != 2 && words.size() != 3)
    throw Error(ErrorKind::usage, "compare: two runs, or a run and two of its rows, are needed",
                "vise-eval compare RUN ROW ROW, RUN[:ROW] RUN[:ROW], or A.npy B.npy --labels y.csv");
  auto [a, b] = sides(words);
  agree_on_names(a, b);
  // Names first: only then can the two sides be found to answer one question.
  check_comparable(a, b);
  // The same run twice is a fair question (is it 0?), and its two sides need two names.
  if (a.word == b.word) b.word += " (2)";
  reports::CompareOptions options;
  options.verdict = !pair_by_backbone(a, b);
  options.baseline = b.results.front().cell.backbone;
  const reports::Report report =
      reports::make_report({{a.folder, a.results}, {b.folder, b.results}}, options, session.context());
  session.console.end_progress();
  print_report(report, session);
  print_won_images(report, session);
}

}  // namespace

void add_compare(Verbs& verbs) {
  auto words = std::make_shared<std::vector<std::string>>();
  auto arrays = std::make_shared<ArrayOptions>();
  Session& session = verbs.session;
  CLI::App* verb =
      verbs.add("compare", "two rows, two runs, or arrays side by side, paired by image; the last is the baseline",
                "  vise-eval compare A.npy B.npy --labels y.csv\n"
                "  vise-eval compare vise-results/emotion vise-250m imagenet-v1\n"
                "  vise-eval compare runs/monday runs/tuesday",
                [=, &session] { compare_verb(*words, *arrays, session); });
  verb->add_option(
          "what", *words,
          "RUN ROW ROW, or RUN[:ROW] RUN[:ROW]; a row is a backbone, BACKBONE/PROBE or a key; or .npy files of "
          "features with the same rows")
      ->type_name("RUN[:ROW]")
      ->required()
      ->expected(2, 1000);
  add_array_options(verb, *arrays);
  verb->add_option("--threads", session.threads, "cores to use [all]")->type_name("N")->check(CLI::Range(1, 4096));
  verbs.add_json_option(verb);
}

}  // namespace vise::cli
