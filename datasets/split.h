// Which items are for fitting, for choosing, and for the one final test.
//
//   const Split split = Split::stratified(targets.strata(), {0.8, 0.1, 0.1}, "emotion/split", 0);
//   split.items(Part::train);                // increasing item numbers
//
// A split knows where it came from and has a hash over (item id, part), so that a result can name exactly what it was
// measured on. A plain value type.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"

namespace vise::datasets {

enum class Part : std::uint8_t { train, val, test, unused };

std::string_view part_name(Part part);  // "train", "val", "test", "unused"
// The part that a name stands for in its usual spellings (part_name.cc), any case: "train", "training", "Training_Set",
// "train2017", "test images", "valid", "dev"; "unused" and "unlabeled" are unused. Nothing for any other, as
// "trainval".
std::optional<Part> part_named(std::string_view name);
// The same of a cell of a table, where "" is unused too. Error{input} for anything else.
Part parse_part(std::string_view text);

class Split {
 public:
  Split() = default;
  // `origin` in words a table can print: "official", "stratified 80/10/10 (seed 0)", "grouped by publisher ...".
  Split(std::vector<Part> parts, std::string origin) : parts_(std::move(parts)), origin_(std::move(origin)) {}

  // Shares of train, val and test (not negative, sum 1: else Error{usage}) within each stratum (negative strata are
  // unused), by largest remainder, drawn by RandomStream(name, seed): the same items get the same split on every
  // machine.
  static Split stratified(std::span<const int> strata, std::array<double, 3> shares, std::string_view name,
                          std::uint64_t seed);
  // Whole groups go to one part: the largest group first, in drawn order among equals, each to the part that it brings
  // nearest to its share of every stratum. An item with an empty group is a group of its own; one with a negative
  // stratum is unused. Error{input} where there are fewer groups than parts.
  static Split grouped(std::span<const std::string> groups, std::span<const int> strata, std::array<double, 3> shares,
                       std::string_view name, std::uint64_t seed);

  // Where an official split lacks val: moves `share` of train into val, stratified.
  Split with_val_from_train(std::span<const int> strata, double share, std::string_view name, std::uint64_t seed) const;

  // Where one lacks test: val in its place. Its origin says so.
  Split val_as_test() const;

  std::size_t size() const { return parts_.size(); }
  Part part(std::size_t item) const { return parts_[item]; }
  std::vector<std::uint32_t> items(Part part) const;
  std::size_t count(Part part) const;
  const std::vector<Part>& parts() const { return parts_; }
  const std::string& origin() const { return origin_; }
  // The same parts under another account of where they come from.
  Split with_origin(std::string origin) const { return {parts_, std::move(origin)}; }

  // SHA-256 over "id\0part\n" of every item in order.
  std::string hash(std::span<const std::string> ids) const;
  // split.csv: id,part. Atomic.
  void write(const Path& path, std::span<const std::string> ids) const;

 private:
  std::vector<Part> parts_;
  std::string origin_;
};

// Fold numbers 0..folds-1 an item (-1 where the stratum is negative): stratified, or whole groups where `groups` isn't
// empty. Folds differ by at most one item overall and in each stratum, unless groups forbid it. Error{usage} for fewer
// than two folds, Error{input} where there are fewer items or groups than folds.
std::vector<int> make_folds(std::span<const int> strata, std::span<const std::string> groups, int folds,
                            std::string_view name, std::uint64_t seed);

}  // namespace vise::datasets
