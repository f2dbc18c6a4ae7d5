// Everything that a task draws of its items: splits, folds, val out of train, few shots, shares of train.
//
//   const Draws draws(dataset.ids, rule.seed);
//   const Split split = draws.stratified(strata, {0.6, 0.2, 0.2});
//   const Split few = draws.few_shots(split, strata, 4, seed);
//
// A draw depends on ids, strata, groups and the seed alone: not on what the data set or its folder is called, nor on
// the order of its rows, so that two people with one table draw the same. Up to 0.1 it depended on the task's name and
// the order of the rows; by_name() draws so, for runs that began then.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "datasets/split.h"

namespace vise::experiments {

// How a result's split and subset were drawn (Result::draw).
inline constexpr int kDrawnByName = 1, kDrawnFromIds = 2;

class Draws {
 public:
  Draws(std::span<const std::string> ids, std::uint64_t split_seed);
  static Draws by_name(const std::string& task, std::size_t items);

  // As Split has them. `groups`: none, or a text an item: then whole groups go to one part.
  datasets::Split shares(std::span<const int> strata, std::span<const std::string> groups,
                         std::array<double, 3> shares) const;
  datasets::Split with_val_from_train(const datasets::Split& split, std::span<const int> strata,
                                      std::span<const std::string> groups, double share) const;
  std::vector<int> folds(std::span<const int> strata, std::span<const std::string> groups, int folds) const;
  // As sampling.h has them.
  datasets::Split few_shots(const datasets::Split& split, std::span<const int> strata, int shots,
                            std::uint64_t seed) const;
  datasets::Split label_fraction(const datasets::Split& split, std::span<const int> strata, double fraction,
                                 std::uint64_t seed) const;
  // Folds of a cross-validation among `items` (strata and groups are theirs): as many as the rarest stratum and the
  // groups allow, at most five; none where that is one.
  std::vector<int> inner_folds(std::span<const std::uint32_t> items, std::span<const int> strata,
                               std::span<const std::string> groups, std::uint64_t seed) const;

  int version() const { return by_name_ ? kDrawnByName : kDrawnFromIds; }

 private:
  Draws() = default;
  std::string stream(std::string_view what) const { return name_ + std::string(what); }

  std::string name_;  // of the random streams
  std::uint64_t split_seed_ = 0;
  bool by_name_ = false;
  std::vector<std::uint32_t> order_;  // of drawing: items by id
  std::vector<std::uint32_t> place_;  // of an item in order_
};

}  // namespace vise::experiments
