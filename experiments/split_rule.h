// A task's rule applied to a data set: which item is for what, before any image is looked at.
#pragma once

#include "datasets/dataset.h"
#include "experiments/draws.h"
#include "experiments/task.h"

namespace vise::experiments {

// The target that nobody needs to name: "label", else "labels", else the only one there is.
std::optional<std::string> usual_target(const datasets::Dataset& dataset);

// How the task's items are drawn: from their ids and the rule's seed, or by the task's name.
Draws draws_of(const Task& task, const datasets::Dataset& dataset);

// The attribute whose groups stay whole: the rule's own, else `group` of a user's data (unless the rule asks for a
// plain stratified split); empty where there is none.
std::string group_attribute(const Task& task, const datasets::Dataset& dataset);
// A text an item, or nothing where groups don't matter.
std::span<const std::string> groups_of(const Task& task, const datasets::Dataset& dataset);

// Official where the data set has one (where no test is labelled its val is the test, where it lacks val a share of
// train is taken, and its origin says so), else stratified or grouped by the rule. Items whose target is not known are
// unused. Error{input} when train, val or test would be empty, Error{usage} where several draws are asked for of what
// isn't drawn.
datasets::Split resolve_split(const Task& task, const datasets::Dataset& dataset);

// The split without `items`: images that could not be read belong to nobody.
datasets::Split without_items(const datasets::Split& split, const std::vector<std::uint32_t>& items);

}  // namespace vise::experiments
