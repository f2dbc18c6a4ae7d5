#include "experiments/split_rule.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "base/error.h"
#include "base/text.h"
#include "datasets/sampling.h"
#include "experiments/split_file.h"

namespace vise::experiments {
namespace {

const std::string kUsualGroup = "group";
constexpr std::string_view kGrouped = "grouped";  // how Split::grouped begins its origin

// Items the task is about: their target is known, and they meet its conditions.
// The way to a split: wanted_items() says who takes part, apply_rule() divides them by the task's rule or the data's
// own split, and resolve_split() checks that no part is empty.

std::vector<bool> wanted_items(const Task& task, const datasets::Dataset& dataset) {
  const datasets::Targets& targets = dataset.target(task.target);
  std::vector<bool> wanted(dataset.size(), true);
  const auto keep_only = [&](const std::vector<std::uint32_t>& items) {
    std::vector<bool> kept(dataset.size(), false);
    for (const std::uint32_t item : items) kept[item] = wanted[item];
    wanted = std::move(kept);
  };
  if (!task.where.empty()) keep_only(datasets::where(dataset, task.where));
  if (task.agreement > 0) keep_only(datasets::agreed(dataset.target("votes"), task.agreement));
  for (std::size_t item = 0; item < wanted.size(); ++item) wanted[item] = wanted[item] && targets.known(item);
  return wanted;
}

// Items of a part that the task isn't about.
std::vector<std::uint32_t> unwanted(const std::vector<bool>& wanted, const datasets::Split& split) {
  std::vector<std::uint32_t> items;
  for (std::uint32_t item = 0; item < split.size(); ++item)
    if (!wanted[item] && split.part(item) != datasets::Part::unused) items.push_back(item);
  return items;
}

// Of several draws each has a seed of its own.
std::uint64_t split_seed(const SplitRule& rule) {
  const bool several = rule.draws > 1 && rule.number > 0 && rule.kind != "folds" && rule.kind != "attribute";
  // Draw 1 has the rule's own seed, so that it is the split of a run with one draw.
  return several ? rule.seed + static_cast<std::uint64_t>(rule.number) - 1 : rule.seed;
}

// One fold is the test, the others train.
datasets::Split one_fold(const Task& task, const datasets::Dataset& dataset, const std::vector<int>& strata,
                         const Draws& draws) {
  const SplitRule& rule = task.split;
  const std::string group = group_attribute(task, dataset);
  std::vector<datasets::Part> parts;
  for (const int fold : draws.folds(strata, groups_of(task, dataset), rule.folds))
    parts.push_back(fold < 0                               ? datasets::Part::unused
                    : fold + 1 == std::max(1, rule.number) ? datasets::Part::test
                                                           : datasets::Part::train);
  return datasets::Split(std::move(parts),
                         fmt::format("fold {} of {}{} (seed {})", std::max(1, rule.number), rule.folds,
                                     group.empty() ? "" : fmt::format(", grouped by {}", group), rule.seed));
}

// The attribute's text of each item is its part: train, val or test.
datasets::Split by_attribute(const Task& task, const datasets::Dataset& dataset) {
  const std::string& name = task.split.attributes[static_cast<std::size_t>(std::max(1, task.split.number) - 1)];
  std::vector<datasets::Part> parts;
  for (const std::string& text : dataset.attribute(name)) parts.push_back(datasets::parse_part(text));
  return datasets::Split(std::move(parts), fmt::format("official, {}", name));
}

// Items that the file doesn't name are unused; it may name no others, since then it is of other data.
datasets::Split by_file(const Task& task, const datasets::Dataset& dataset) {
  const SavedSplit saved = read_split(task.split.file);
  std::unordered_map<std::string_view, std::uint32_t> items;
  for (std::uint32_t i = 0; i < dataset.size(); ++i) items.emplace(dataset.ids[i], i);
  std::vector<datasets::Part> parts(dataset.size(), datasets::Part::unused);
  std::vector<bool> named(dataset.size(), false);
  for (std::size_t row = 0; row < saved.ids.size(); ++row) {
    const auto found = items.find(saved.ids[row]);
    if (found == items.end())
      throw Error(
          ErrorKind::input,
          fmt::format("{}: '{}' is no item of {}", task.split.file.string(), saved.ids[row], dataset.name),
          "a split file names items by their ids, as a run's splits/ does: paths relative to the data's folder");
    if (named[found->second])
      throw Error(ErrorKind::input,
                  fmt::format("{}: '{}' stands there twice", task.split.file.string(), saved.ids[row]));
    named[found->second] = true;
    parts[found->second] = saved.split.part(row);
  }
  return datasets::Split(std::move(parts), fmt::format("file {}", task.split.file.filename().string()));
}

// What has no label is in nobody's part: a test without labels is none.
std::size_t labelled(const datasets::Targets& targets, const datasets::Split& split, datasets::Part part) {
  std::size_t known = 0;
  for (std::size_t item = 0; item < targets.size(); ++item) known += targets.known(item) && split.part(item) == part;
  return known;
}

// Drawn by the shares of the rule, within classes and, where there are groups, with groups whole.
datasets::Split drawn_shares(const Task& task, const datasets::Dataset& dataset, const std::vector<int>& strata,
                             const Draws& draws) {
  const datasets::Split split = draws.shares(strata, groups_of(task, dataset), task.split.shares);
  const std::string group = group_attribute(task, dataset);
  std::string origin =
      group.empty() ? split.origin() : fmt::format("grouped by {}{}", group, split.origin().substr(kGrouped.size()));
  if (task.split.draws > 1) origin = fmt::format("draw {} of {}, {}", task.split.number, task.split.draws, origin);
  return split.with_origin(std::move(origin));
}

datasets::Split apply_rule(const Task& task, const datasets::Dataset& dataset, const std::vector<int>& strata,
                           const Draws& draws) {
  const SplitRule& rule = task.split;
  const bool shares =
      rule.kind == "grouped" || rule.kind == "stratified" || (rule.kind == "official" && !dataset.official);
  if (rule.draws > 1 && !shares)
    throw Error(ErrorKind::usage,
                fmt::format("{}: several splits were asked for, but its split isn't drawn", dataset.name),
                "the data have a split of their own: leave --splits out, or draw folds with --folds K");
  if (shares) return drawn_shares(task, dataset, strata, draws);
  datasets::Split split = rule.kind == "folds"       ? one_fold(task, dataset, strata, draws)
                          : rule.kind == "attribute" ? by_attribute(task, dataset)
                          : rule.kind == "file"      ? by_file(task, dataset)
                                                     : *dataset.official;
  const datasets::Targets& targets = dataset.target(task.target);
  const bool has_val = labelled(targets, split, datasets::Part::val) > 0;
  // Challenges keep the labels of their test part back; the published val is then what everybody
  // reports on, and a val of our own is taken from train.
  if (rule.kind == "official" && has_val && labelled(targets, split, datasets::Part::test) == 0) {
    split = split.val_as_test();
  } else if (has_val) {
    return split;
  }
  // Selection needs rows of its own: choosing on test would make the number meaningless, and
  // choosing on train would choose the weakest regularisation.
  return draws.with_val_from_train(split, strata, groups_of(task, dataset), rule.val_from_train);
}

// Why a split lacks a part, and what to do.
std::string hint_for(datasets::Part part, const datasets::Split& split, const datasets::Dataset& dataset) {
  if (dataset.official && dataset.official->count(part) > 0)
    return fmt::format(
        "the {} images of its {} have no label here: give them one, or have the split drawn "
        "(init-task, then split: {{kind: stratified}})",
        dataset.official->count(part), datasets::part_name(part));
  if (split.origin().starts_with("official"))
    return fmt::format(
        "a probe needs train, val and test; name the folder or the column's value of {}, or have the "
        "split drawn (init-task, then split: {{kind: stratified}})",
        datasets::part_name(part));
  return "a probe needs train, val and test; check the split column, or ask for another split in the task's YAML";
}

}  // namespace

std::optional<std::string> usual_target(const datasets::Dataset& dataset) {
  for (const char* usual : {"label", "labels"})
    if (dataset.targets.contains(usual)) return usual;
  return dataset.targets.size() == 1 ? std::optional(dataset.targets.begin()->first) : std::nullopt;
}

// Marks them unused and keeps the rest, so that item numbers stay those of the data set.
datasets::Split without_items(const datasets::Split& split, const std::vector<std::uint32_t>& items) {
  if (items.empty()) return split;
  std::vector<datasets::Part> parts(split.size());
  for (std::size_t item = 0; item < parts.size(); ++item) parts[item] = split.part(item);
  for (const std::uint32_t item : items) parts[item] = datasets::Part::unused;
  return datasets::Split(std::move(parts), split.origin());
}

Draws draws_of(const Task& task, const datasets::Dataset& dataset) {
  // Folds of one task are cut from one draw, whatever the fold: "artphoto.3" is dealt as "artphoto" is.
  if (task.split.by_name) return Draws::by_name(base_task_name(task), dataset.size());
  return Draws(dataset.ids, split_seed(task.split));
}

std::string group_attribute(const Task& task, const datasets::Dataset& dataset) {
  const SplitRule& rule = task.split;
  if (!rule.group.empty()) return rule.group;
  // A column called 'group' in a user's table is taken for what it says; known data sets
  // say themselves how they are split.
  const bool usual = task.dataset.empty() && rule.kind != "stratified" && !rule.by_name;
  return usual && dataset.attributes.contains(kUsualGroup) ? kUsualGroup : "";
}

std::span<const std::string> groups_of(const Task& task, const datasets::Dataset& dataset) {
  const std::string name = group_attribute(task, dataset);
  return name.empty() ? std::span<const std::string>() : std::span(dataset.attribute(name));
}

datasets::Split resolve_split(const Task& task, const datasets::Dataset& dataset) {
  const std::vector<bool> wanted = wanted_items(task, dataset);
  std::vector<int> strata = dataset.target(task.target).strata();
  for (std::size_t item = 0; item < strata.size(); ++item)
    // Unwanted items take no part in the draw, so that shares and strata are those of
    // the items that are used.
    if (!wanted[item]) strata[item] = -1;
  datasets::Split split = apply_rule(task, dataset, strata, draws_of(task, dataset));
  split = without_items(split, unwanted(wanted, split));
  if (!task.where.empty()) split = split.with_origin(fmt::format("{}, where {}", split.origin(), task.where));
  if (task.agreement > 0)
    split = split.with_origin(fmt::format("{}, agreement at least {}", split.origin(), number(task.agreement)));
  for (const datasets::Part part : {datasets::Part::train, datasets::Part::val, datasets::Part::test})
    if (split.count(part) == 0)
      throw Error(ErrorKind::input,
                  fmt::format("{}: the split ({}) leaves no {} images", dataset.name, split.origin(),
                              datasets::part_name(part)),
                  hint_for(part, split, dataset));
  return split;
}

}  // namespace vise::experiments
