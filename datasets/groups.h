// Groups of items that belong together (one person, one scene, one source) and are spread over several parts of a
// split: the commonest reason for a score that doesn't hold elsewhere.
//
//   const GroupCount count = straddling_groups(dataset.attribute("group"), split);
//   const std::vector<std::string> subjects = groups_by_name(dataset.ids);     // "subject12" of "subject12_03.jpg"
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "datasets/split.h"

namespace vise::datasets {

struct GroupCount {
  std::size_t groups = 0;             // with at least one item in train, val or test
  std::size_t straddling = 0;         // of them, in more than one of the three
  std::vector<std::string> examples;  // of straddling ones, the largest first, at most five
};

// `groups`: a text an item; an empty one is no group.
GroupCount straddling_groups(std::span<const std::string> groups, const Split& split);

// What file names alone show: a name that ends in a running number or letter after '_', '-', '.' or a blank belongs to
// the group that is left of it, within its folder's name for the class left out ("calm/subject12_03.jpg" and
// "tense/subject12_07.jpg" are of "subject12"). A text an item, empty for names without such a group. Nothing where the
// names show no groups: fewer than half of the items are in groups of two and more, or the groups are so few and large
// (a camera's prefix, a class's name) that they tell nothing.
std::vector<std::string> groups_by_name(std::span<const std::string> ids);

}  // namespace vise::datasets
