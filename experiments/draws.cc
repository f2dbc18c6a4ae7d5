#include "experiments/draws.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "base/text.h"
#include "datasets/sampling.h"

namespace vise::experiments {
namespace {

constexpr int kMostFolds = 5;

// Every draw below goes the same way: strata and groups are put into the order of the ids, drawn there, and the
// outcome is put back into the data set's order by `place_`.

// The values of items in that order.
template <typename Values>
auto in_order(const Values& values, std::span<const std::uint32_t> order) {
  std::vector<std::remove_cvref_t<decltype(values[0])>> result;
  if (values.size() == 0) return result;
  result.reserve(order.size());
  for (const std::uint32_t item : order) result.push_back(values[item]);
  return result;
}

datasets::Split in_order(const datasets::Split& split, std::span<const std::uint32_t> order) {
  return {in_order(split.parts(), order), split.origin()};
}

// The inverse of a permutation.
std::vector<std::uint32_t> places_in(std::span<const std::uint32_t> order) {
  std::vector<std::uint32_t> places(order.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) places[order[i]] = i;
  return places;
}

}  // namespace

Draws::Draws(std::span<const std::string> ids, std::uint64_t split_seed)
    : name_("draws/"), split_seed_(split_seed), order_(ids.size()) {
  std::iota(order_.begin(), order_.end(), 0u);
  // Items are drawn in the order of their ids and not of the file: two people whose tables are
  // sorted otherwise, or whose folders list otherwise, get the same split.
  std::ranges::sort(order_, {}, [&](std::uint32_t item) { return std::string_view(ids[item]); });
  place_ = places_in(order_);
}

// The rule of 0.1: streams named after the task, items in the data set's order. Kept so that
// runs that were begun then can be finished.
Draws Draws::by_name(const std::string& task, std::size_t items) {
  Draws draws;
  draws.name_ = task + "/";
  draws.by_name_ = true;
  draws.order_.resize(items);
  std::iota(draws.order_.begin(), draws.order_.end(), 0u);
  draws.place_ = draws.order_;
  return draws;
}

datasets::Split Draws::shares(std::span<const int> strata, std::span<const std::string> groups,
                              std::array<double, 3> shares) const {
  const std::vector<int> drawn = in_order(strata, order_);
  const datasets::Split split =
      groups.empty() ? datasets::Split::stratified(drawn, shares, stream("split"), split_seed_)
                     : datasets::Split::grouped(in_order(groups, order_), drawn, shares, stream("split"), split_seed_);
  return in_order(split, place_);
}

datasets::Split Draws::with_val_from_train(const datasets::Split& split, std::span<const int> strata,
                                           std::span<const std::string> groups, double share) const {
  const std::vector<int> drawn = in_order(strata, order_);
  const datasets::Split ordered = in_order(split, order_);
  // Plain draws know only strata. With groups, train is dealt anew as if it were all there is, and what comes out as
  // val becomes val.
  if (groups.empty()) return in_order(ordered.with_val_from_train(drawn, share, stream("split"), split_seed_), place_);
  std::vector<int> of_train = drawn;
  for (std::size_t i = 0; i < of_train.size(); ++i)
    // A negative stratum takes no part in the draw.
    if (ordered.part(i) != datasets::Part::train) of_train[i] = -1;
  const datasets::Split dealt = datasets::Split::grouped(in_order(groups, order_), of_train, {1 - share, share, 0},
                                                         stream("split/val"), split_seed_);
  std::vector<datasets::Part> parts = ordered.parts();
  for (std::size_t i = 0; i < parts.size(); ++i)
    if (dealt.part(i) == datasets::Part::val) parts[i] = datasets::Part::val;
  const std::string origin = fmt::format("{}, val = {} % of train (whole groups, seed {})", split.origin(),
                                         number(std::round(share * 1e4) / 100), split_seed_);
  return in_order(datasets::Split(std::move(parts), origin), place_);
}

std::vector<int> Draws::folds(std::span<const int> strata, std::span<const std::string> groups, int folds) const {
  const std::vector<int> numbers =
      datasets::make_folds(in_order(strata, order_), in_order(groups, order_), folds, stream("split"), split_seed_);
  return in_order(numbers, place_);
}

datasets::Split Draws::few_shots(const datasets::Split& split, std::span<const int> strata, int shots,
                                 std::uint64_t seed) const {
  const datasets::Split few =
      datasets::few_shots(in_order(split, order_), in_order(strata, order_), shots, stream("shots"), seed);
  return in_order(few, place_);
}

datasets::Split Draws::label_fraction(const datasets::Split& split, std::span<const int> strata, double fraction,
                                      std::uint64_t seed) const {
  const datasets::Split few =
      datasets::label_fraction(in_order(split, order_), in_order(strata, order_), fraction, stream("fraction"), seed);
  return in_order(few, place_);
}

std::vector<int> Draws::inner_folds(std::span<const std::uint32_t> items, std::span<const int> strata,
                                    std::span<const std::string> groups, std::uint64_t seed) const {
  std::map<int, int> counts;
  for (const int stratum : strata)
    if (stratum >= 0) ++counts[stratum];
  int most = kMostFolds;
  // A class with fewer items than folds would be missing from some fold's training rows or held-out rows.
  for (const auto& [stratum, count] : counts) most = std::min(most, count);
  if (!groups.empty()) {
    const auto named = std::set<std::string_view>(groups.begin(), groups.end());
    most = std::min(most, static_cast<int>(named.size()));
  }
  if (most < 2) return {};
  // The items are a part of the data set, so their order by id is that of their places among all items.
  std::vector<std::uint32_t> order(items.size());
  std::iota(order.begin(), order.end(), 0u);
  std::ranges::sort(order, {}, [&](std::uint32_t i) { return place_[items[i]]; });
  const std::vector<int> folds =
      datasets::make_folds(in_order(strata, order), in_order(groups, order), most, stream("folds"), seed);
  return in_order(folds, places_in(order));
}

}  // namespace vise::experiments
