#include "datasets/sampling.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "base/error.h"
#include "base/random.h"
#include "base/text.h"

namespace vise::datasets {
namespace {

// Train without all but the first `kept(n)` of each stratum's n items in drawn order. The order doesn't depend on how
// many are kept, so smaller subsets are within larger ones.
template <typename Kept>
Split thinned(const Split& split, std::span<const int> strata, std::string_view name, std::uint64_t seed,
              std::string origin, Kept kept) {
  std::map<int, std::vector<std::uint32_t>> of_stratum;
  for (const std::uint32_t item : split.items(Part::train)) of_stratum[strata[item]].push_back(item);
  std::vector<Part> parts = split.parts();
  for (auto& [stratum, items] : of_stratum) {
    // A stream of its own for each stratum: its order doesn't change when another class gains an item.
    RandomStream(fmt::format("{}/{}", name, stratum), seed).shuffle(std::span(items));
    // Unlabelled items can't be counted as labelled ones.
    const std::size_t keep = stratum < 0 ? 0 : std::min<std::size_t>(items.size(), kept(items.size()));
    for (std::size_t i = keep; i < items.size(); ++i) parts[items[i]] = Part::unused;
  }
  return {std::move(parts), std::move(origin)};
}

// The texts that a condition compares with, lower case.
std::vector<std::string> texts_of(const Dataset& dataset, const std::string& name) {
  if (const auto found = dataset.attributes.find(name); found != dataset.attributes.end()) {
    std::vector<std::string> texts;
    for (const std::string& text : found->second) texts.push_back(lower(text));
    return texts;
  }
  const auto target = dataset.targets.find(name);
  if (target == dataset.targets.end() || target->second.kind() != TargetKind::classes) {
    std::set<std::string> known;  // a column may be both
    for (const auto& [key, column] : dataset.attributes) known.insert(key);
    for (const auto& [key, column] : dataset.targets)
      if (column.kind() == TargetKind::classes) known.insert(key);
    throw Error(ErrorKind::usage, fmt::format("data set '{}' has no attribute '{}'", dataset.name, name),
                suggest(name, std::vector<std::string>(known.begin(), known.end())));
  }
  std::vector<std::string> texts;
  for (const int k : target->second.classes())
    texts.push_back(k < 0 ? std::string() : lower(target->second.names()[static_cast<std::size_t>(k)]));
  return texts;
}

// Keeps the items for which the condition, NAME=VALUE or NAME!=VALUE, holds; case doesn't count.
void apply_condition(const Dataset& dataset, const std::string& condition, std::vector<bool>& keep) {
  const auto equals = condition.find('=');
  if (equals == std::string::npos || equals == 0)
    throw Error(ErrorKind::usage, fmt::format("'{}' is not a condition", condition), "write ATTRIBUTE=VALUE");
  const bool negated = condition[equals - 1] == '!';
  const std::string name(trim(condition.substr(0, equals - (negated ? 1 : 0))));
  const std::string wanted = lower(trim(condition.substr(equals + 1)));
  const std::vector<std::string> texts = texts_of(dataset, name);
  // A value that no item has is a slip: the set would be empty, or with != the whole one.
  if (std::find(texts.begin(), texts.end(), wanted) == texts.end()) {
    std::vector<std::string> known = texts;
    std::sort(known.begin(), known.end());
    known.erase(std::unique(known.begin(), known.end()), known.end());
    throw Error(ErrorKind::usage, fmt::format("no item of '{}' has {} '{}'", dataset.name, name, wanted),
                suggest(wanted, known));
  }
  for (std::size_t i = 0; i < keep.size(); ++i) keep[i] = keep[i] && ((texts[i] == wanted) != negated);
}

// Whether another class has as many votes as the item's first one, `winner` (none: nobody voted).
bool is_tie(const Targets& votes, std::size_t item, int winner) {
  if (winner < 0) return false;
  const auto row = votes.rows().subspan(item * votes.width(), votes.width());
  return std::count(row.begin(), row.end(), row[static_cast<std::size_t>(winner)]) > 1;
}

}  // namespace

Dataset subset(const Dataset& dataset, std::span<const std::uint32_t> items) {
  Dataset chosen;
  chosen.name = dataset.name;
  chosen.root = dataset.root;
  chosen.container = dataset.container;
  chosen.notes = dataset.notes;
  const auto pick = [&](const std::vector<std::string>& column) {
    std::vector<std::string> picked;
    picked.reserve(items.size());
    for (const std::uint32_t item : items) picked.push_back(column[item]);
    return picked;
  };
  chosen.ids = pick(dataset.ids);
  for (const auto& [name, column] : dataset.targets) chosen.targets.emplace(name, column.select(items));
  for (const auto& [name, column] : dataset.attributes) chosen.attributes.emplace(name, pick(column));
  if (!dataset.unused.empty())
    for (const std::uint32_t item : items) chosen.unused.push_back(dataset.unused[item]);
  if (dataset.official) {
    std::vector<Part> parts;
    for (const std::uint32_t item : items) parts.push_back(dataset.official->part(item));
    chosen.official = Split(std::move(parts), dataset.official->origin());
  }
  return chosen;
}

Split few_shots(const Split& split, std::span<const int> strata, int shots, std::string_view name, std::uint64_t seed) {
  if (shots < 1) throw Error(ErrorKind::usage, fmt::format("{} shots: at least 1 is needed", shots));
  return thinned(split, strata, name, seed, fmt::format("{}, {} shots (seed {})", split.origin(), shots, seed),
                 [&](std::size_t) { return static_cast<std::size_t>(shots); });
}

Split label_fraction(const Split& split, std::span<const int> strata, double fraction, std::string_view name,
                     std::uint64_t seed) {
  if (!(fraction > 0 && fraction <= 1))
    throw Error(ErrorKind::usage, fmt::format("a fraction of {} of the labels", number(fraction)),
                "a fraction is above 0 and at most 1");
  return thinned(split, strata, name, seed,
                 fmt::format("{}, {} % of train (seed {})", split.origin(), number(fraction * 100), seed),
                 [&](std::size_t n) {
                   // Rounded to the nearest, and one at least: a class without any item could not be learnt.
                   return std::max<std::size_t>(1, static_cast<std::size_t>(fraction * static_cast<double>(n) + 0.5));
                 });
}

std::vector<std::uint32_t> where(const Dataset& dataset, std::string_view condition) {
  std::vector<bool> keep(dataset.size(), true);
  for (const std::string& one : split(condition, ',')) apply_condition(dataset, one, keep);
  std::vector<std::uint32_t> items;
  for (std::size_t i = 0; i < keep.size(); ++i)
    if (keep[i]) items.push_back(static_cast<std::uint32_t>(i));
  return items;
}

// Items whose most frequent answer has at least `share` of the votes.
std::vector<std::uint32_t> agreed(const Targets& votes, double share) {
  if (votes.kind() != TargetKind::distribution)
    throw Error(ErrorKind::usage,
                fmt::format("agreement needs votes, but the target holds {}", target_kind_name(votes.kind())));
  std::vector<std::uint32_t> items;
  for (std::size_t i = 0; i < votes.size(); ++i) {
    const auto row = votes.rows().subspan(i * votes.width(), votes.width());
    double sum = 0;
    for (const double v : row) sum += v;
    // The tolerance is for shares such as 0.1 * 30 that round to just above a count.
    if (sum > 0 && *std::max_element(row.begin(), row.end()) >= share * sum - 1e-9)
      items.push_back(static_cast<std::uint32_t>(i));
  }
  return items;
}

void add_label_from_votes(Dataset& dataset) {
  const auto votes = dataset.targets.find("votes");
  if (votes == dataset.targets.end() || dataset.targets.contains("label")) return;
  // The most voted class of each item, of which ties are taken back below.
  std::vector<int> classes = votes->second.strata();
  for (std::size_t i = 0; i < classes.size(); ++i)
    // A tie has no winner; taking the first class would favour those early in the alphabet.
    if (is_tie(votes->second, i, classes[i])) classes[i] = kNoClass;
  dataset.targets.emplace("label", Targets::from_classes(std::move(classes), votes->second.names()));
}

std::string note_on_ties(const Dataset& dataset) {
  const auto votes = dataset.targets.find("votes"), label = dataset.targets.find("label");
  if (votes == dataset.targets.end() || label == dataset.targets.end()) return {};
  const std::vector<int> first = votes->second.strata();
  std::size_t ties = 0;
  for (std::size_t i = 0; i < first.size(); ++i)
    if (!label->second.known(i) && is_tie(votes->second, i, first[i])) ++ties;
  return ties == 0 ? std::string() : fmt::format("{} items whose votes tie have no label", ties);
}

}  // namespace vise::datasets
