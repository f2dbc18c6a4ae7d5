#include "experiments/split_rule.h"

#include <fmt/format.h>

#include "base/error.h"

namespace vise {
namespace {

constexpr std::uint64_t kSplitSeed = 0;

std::vector<int> known_strata(const Targets& targets) {
  std::vector<int> strata = targets.strata();
  for (std::size_t item = 0; item < strata.size(); ++item)
    if (!targets.known(item)) strata[item] = -1;
  return strata;
}

Split without_unknown(const Split& split, const Targets& targets) {
  std::vector<std::uint32_t> unknown;
  for (std::uint32_t item = 0; item < split.size(); ++item)
    if (!targets.known(item) && split.part(item) != Part::unused) unknown.push_back(item);
  return without_items(split, unknown);
}

Split apply_rule(const Task& task, const Dataset& dataset, const std::vector<int>& strata) {
  const std::string name = task.name + "/split";
  const SplitRule& rule = task.split;
  if (rule.kind == "grouped")
    return Split::grouped(dataset.attribute(rule.group), strata, rule.shares, name, kSplitSeed);
  if (rule.kind == "stratified" || !dataset.official) return Split::stratified(strata, rule.shares, name, kSplitSeed);
  if (dataset.official->count(Part::val) > 0) return *dataset.official;
  return dataset.official->with_val_from_train(strata, rule.val_from_train, name, kSplitSeed);
}

}  // namespace

Split without_items(const Split& split, const std::vector<std::uint32_t>& items) {
  if (items.empty()) return split;
  std::vector<Part> parts(split.size());
  for (std::size_t item = 0; item < parts.size(); ++item) parts[item] = split.part(item);
  for (const std::uint32_t item : items) parts[item] = Part::unused;
  return Split(std::move(parts), split.origin());
}

Split resolve_split(const Task& task, const Dataset& dataset) {
  const Targets& targets = dataset.target(task.target);
  const Split split = without_unknown(apply_rule(task, dataset, known_strata(targets)), targets);
  for (const Part part : {Part::train, Part::val, Part::test})
    if (split.count(part) == 0)
      throw Error(
          ErrorKind::input,
          fmt::format("{}: the split ({}) leaves no {} images", dataset.name, split.origin(), part_name(part)),
          "a probe needs train, val and test; check the split column, or ask for another split in the task's YAML");
  return split;
}

}  // namespace vise
