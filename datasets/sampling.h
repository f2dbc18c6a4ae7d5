// Fewer items: subsets, few shots, fractions, agreement. All by item number; a split stays in charge of who is who.
//
//   const Split few = few_shots(split, targets.strata(), 4, "emotion/shots", seed);   // 4 of each class for fitting
//   const Dataset right = subset(dataset, where(dataset, "topic=immigration"));
//
// Only train is ever thinned: an item of val or test stays what it is, and no item of theirs gets into train (a
// property test). Drawn items become `unused`, so a sampled split is written, hashed and compared like any other.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/dataset.h"

namespace vise::datasets {

// The items of `items`, in that order, with their targets, attributes and official split.
Dataset subset(const Dataset& dataset, std::span<const std::uint32_t> items);

// `shots` train items of every stratum (all where it has fewer). Fewer shots of the same name and seed are a subset of
// more. Error{usage} for shots < 1.
Split few_shots(const Split& split, std::span<const int> strata, int shots, std::string_view name, std::uint64_t seed);

// A share (0, 1] of train in every stratum, at least one item of each; smaller shares are subsets of larger ones.
Split label_fraction(const Split& split, std::span<const int> strata, double fraction, std::string_view name,
                     std::uint64_t seed);

// The items that meet a condition on an attribute or a classes target: "topic=immigration", "topic!=guns", or several
// joined by ','; all must hold. Compared without case. Error{usage} for an unknown name (the nearest) or a value that
// no item has.
std::vector<std::uint32_t> where(const Dataset& dataset, std::string_view condition);

// The items of which at least `share` of the votes went to one class (distribution targets only, else Error{usage}):
// 1 keeps those on which all voters agree.
std::vector<std::uint32_t> agreed(const Targets& votes, double share);

// The target "label" from the target "votes": the class with most votes, not known where two have as many. Does nothing
// without votes, or with a label.
void add_label_from_votes(Dataset& dataset);
// "12 items whose votes tie have no label", or "": a note for whoever predicts the target "label". The distribution of
// tied votes is known, so it doesn't concern the target "votes".
std::string note_on_ties(const Dataset& dataset);

}  // namespace vise::datasets
