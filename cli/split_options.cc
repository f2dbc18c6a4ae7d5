#include "cli/split_options.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "base/error.h"

namespace vise::cli {
namespace {

// Two ways to say the same thing are refused rather than ranked.
void check(const SplitOptions& options) {
  if (!options.file.empty() && (options.seed >= 0 || options.splits > 0 || options.folds > 0 || !options.group.empty()))
    throw Error(ErrorKind::usage, "--split names the split whole: --split-seed, --splits, --folds and --group draw one",
                "leave --split out, or the others");
  if (options.folds > 0 && options.splits > 0)
    throw Error(ErrorKind::usage, "--folds and --splits exclude each other",
                "--folds K tests every image once; --splits N draws train, val and test N times");
}

}  // namespace

// `several`: whether the verb can evaluate more than one split.
void add_split_options(CLI::App* verb, SplitOptions& options, bool several) {
  verb->add_option("--split", options.file, "a table of id and part: the splits/ of another run [the data's, or drawn]")
      ->type_name("FILE");
  verb->add_option("--split-seed", options.seed, "of a drawn split [0]")->type_name("N")->check(CLI::NonNegativeNumber);
  if (several)
    verb->add_option("--splits", options.splits, "draw the split N times, with seeds one after the other [1]")
        ->type_name("N")
        ->check(CLI::Range(1, 1000));
  verb->add_option("--group", options.group, "whose groups stay whole; none: nobody's [group, where there is one]")
      ->type_name("COLUMN");
  verb->add_option("--folds", options.folds, "K folds instead of a split: each is test once")
      ->type_name("K")
      ->check(CLI::Range(2, 100));
}

// The tasks that one task becomes: one, or one for each fold or draw. What wasn't asked for stays the task's own rule.
std::vector<experiments::Task> with_split(const experiments::Task& given, const SplitOptions& options) {
  check(options);
  if (!options.any()) return experiments::one_task_a_split(given);
  experiments::Task task = given;
  experiments::SplitRule& rule = task.split;
  // A task of several splits that was expanded before keeps its number, unless the rule is another now.
  const bool other_rule = !options.file.empty() || options.folds > 0 || options.splits > 0 || !options.group.empty();
  if (other_rule && rule.number > 0) {
    task.name = experiments::base_task_name(task);
    rule.number = 0;
  }
  // Marks the rule as the user's: where it can't be followed that is an error, and no other split takes its place.
  rule.asked = true;
  if (!options.file.empty()) {
    rule.kind = "file";
    rule.file = options.file;
  }
  if (options.group == "none") {
    rule.group.clear();
    rule.kind = "stratified";
  } else if (!options.group.empty()) {
    rule.group = options.group;
    rule.kind = "grouped";
  }
  if (options.folds > 0) {
    rule.kind = "folds";
    rule.folds = options.folds;
  }
  if (options.splits > 0) rule.draws = options.splits;
  if (options.seed >= 0) rule.seed = static_cast<std::uint64_t>(options.seed);
  return experiments::one_task_a_split(task);
}

}  // namespace vise::cli
