#include "experiments/split_rule.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "datasets/sampling.h"

namespace vise {
namespace {

constexpr std::uint64_t kSplitSeed = 0;
constexpr std::string_view kGrouped = "grouped";  // how Split::grouped begins its origin

// Items the task is about: their target is known, and they meet its conditions.
std::vector<bool> wanted_items(const Task& task, const Dataset& dataset) {
  const Targets& targets = dataset.target(task.target);
  std::vector<bool> wanted(dataset.size(), true);
  const auto keep_only = [&](const std::vector<std::uint32_t>& items) {
    std::vector<bool> kept(dataset.size(), false);
    for (const std::uint32_t item : items) kept[item] = wanted[item];
    wanted = std::move(kept);
  };
  if (!task.where.empty()) keep_only(where(dataset, task.where));
  if (task.agreement > 0) keep_only(agreed(dataset.target("votes"), task.agreement));
  for (std::size_t item = 0; item < wanted.size(); ++item) wanted[item] = wanted[item] && targets.known(item);
  return wanted;
}

std::vector<std::uint32_t> unwanted(const std::vector<bool>& wanted, const Split& split) {
  std::vector<std::uint32_t> items;
  for (std::uint32_t item = 0; item < split.size(); ++item)
    if (!wanted[item] && split.part(item) != Part::unused) items.push_back(item);
  return items;
}

// One fold is the test, the others train.
Split one_fold(const Task& task, const Dataset& dataset, const std::vector<int>& strata, const std::string& name) {
  const SplitRule& rule = task.split;
  const std::vector<std::string> none;
  const std::vector<int> fold_of =
      make_folds(strata, rule.group.empty() ? none : dataset.attribute(rule.group), rule.folds, name, kSplitSeed);
  std::vector<Part> parts;
  for (const int fold : fold_of)
    parts.push_back(fold < 0 ? Part::unused : fold + 1 == std::max(1, rule.number) ? Part::test : Part::train);
  return Split(std::move(parts),
               fmt::format("fold {} of {}{} (seed {})", std::max(1, rule.number), rule.folds,
                           rule.group.empty() ? "" : fmt::format(", grouped by {}", rule.group), kSplitSeed));
}

// "artphoto" of "artphoto.3", third of five.
std::string base_name(const Task& task) {
  const std::string suffix = fmt::format(".{}", task.split.number);
  return task.split.number > 0 && task.name.ends_with(suffix) ? task.name.substr(0, task.name.size() - suffix.size())
                                                              : task.name;
}

Split by_attribute(const Task& task, const Dataset& dataset) {
  const std::string& name = task.split.attributes[static_cast<std::size_t>(std::max(1, task.split.number) - 1)];
  std::vector<Part> parts;
  for (const std::string& text : dataset.attribute(name)) parts.push_back(parse_part(text));
  return Split(std::move(parts), fmt::format("official, {}", name));
}

Split apply_rule(const Task& task, const Dataset& dataset, const std::vector<int>& strata) {
  // Folds of one task are cut from one draw, whatever the fold: "artphoto.3" is dealt as "artphoto" is.
  const std::string name = base_name(task) + "/split";
  const SplitRule& rule = task.split;
  if (rule.kind == "grouped") {
    const Split split = Split::grouped(dataset.attribute(rule.group), strata, rule.shares, name, kSplitSeed);
    return split.with_origin(fmt::format("grouped by {}{}", rule.group, split.origin().substr(kGrouped.size())));
  }
  if (rule.kind == "stratified" || (rule.kind == "official" && !dataset.official))
    return Split::stratified(strata, rule.shares, name, kSplitSeed);
  Split split = rule.kind == "folds"       ? one_fold(task, dataset, strata, name)
                : rule.kind == "attribute" ? by_attribute(task, dataset)
                                           : *dataset.official;
  // What has no label is in nobody's part: a test without labels is none.
  const Targets& targets = dataset.target(task.target);
  const auto count = [&](Part part) {
    std::size_t known = 0;
    for (std::size_t item = 0; item < targets.size(); ++item) known += targets.known(item) && split.part(item) == part;
    return known;
  };
  if (rule.kind == "official" && count(Part::test) == 0 && count(Part::val) > 0) split = split.val_as_test();
  if (count(Part::val) > 0) return split;
  return split.with_val_from_train(strata, rule.val_from_train, name, kSplitSeed);
}

// Why a split lacks a part, and what to do.
std::string hint_for(Part part, const Split& split, const Dataset& dataset) {
  if (dataset.official && dataset.official->count(part) > 0)
    return fmt::format(
        "the {} images of its {} have no label here: give them one, or have the split drawn "
        "(init-task, then split: {{kind: stratified}})",
        dataset.official->count(part), part_name(part));
  if (split.origin().starts_with("official"))
    return fmt::format(
        "a probe needs train, val and test; name the folder or the column's value of {}, or have the "
        "split drawn (init-task, then split: {{kind: stratified}})",
        part_name(part));
  return "a probe needs train, val and test; check the split column, or ask for another split in the task's YAML";
}

}  // namespace

std::optional<std::string> usual_target(const Dataset& dataset) {
  for (const char* usual : {"label", "labels"})
    if (dataset.targets.contains(usual)) return usual;
  return dataset.targets.size() == 1 ? std::optional(dataset.targets.begin()->first) : std::nullopt;
}

Split without_items(const Split& split, const std::vector<std::uint32_t>& items) {
  if (items.empty()) return split;
  std::vector<Part> parts(split.size());
  for (std::size_t item = 0; item < parts.size(); ++item) parts[item] = split.part(item);
  for (const std::uint32_t item : items) parts[item] = Part::unused;
  return Split(std::move(parts), split.origin());
}

Split resolve_split(const Task& task, const Dataset& dataset) {
  const std::vector<bool> wanted = wanted_items(task, dataset);
  std::vector<int> strata = dataset.target(task.target).strata();
  for (std::size_t item = 0; item < strata.size(); ++item)
    if (!wanted[item]) strata[item] = -1;
  Split split = apply_rule(task, dataset, strata);
  split = without_items(split, unwanted(wanted, split));
  if (!task.where.empty()) split = split.with_origin(fmt::format("{}, where {}", split.origin(), task.where));
  if (task.agreement > 0)
    split = split.with_origin(fmt::format("{}, agreement at least {}", split.origin(), number(task.agreement)));
  for (const Part part : {Part::train, Part::val, Part::test})
    if (split.count(part) == 0)
      throw Error(ErrorKind::input,
                  fmt::format("{}: the split ({}) leaves no {} images", dataset.name, split.origin(), part_name(part)),
                  hint_for(part, split, dataset));
  return split;
}

}  // namespace vise
