// Labels that are no classes: what a person should be asked about before anybody trains on them.
//
//   if (const auto doubt = doubt_about(dataset.target("label"))) ask(*doubt);   // "are dates: 2019-01-02, 2019-01-05
//   ..."
//
// `run` asks, `audit` lists it as a finding.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "datasets/targets.h"

namespace vise::datasets {

// Why these classes look like something else: a split's names or folds', file names, dates, numbers (other than the
// codes of a few classes, see class_codes), or as many values as half of the items. Nothing for other kinds of targets.
std::optional<std::string> doubt_about(const Targets& targets);

// Two class names so near that one may be a typo of the other ("joy", "jooy"): the rarer one first.
struct LabelTypo {
  std::string rare, common;
  std::size_t rare_items = 0, common_items = 0;
};

// Of classes and how many items each has, those where the common one has at least `times` as many as the rare one.
// Names with a digit differ by a letter on purpose. Pairs are compared, so of more than 2,000 classes the first count.
std::vector<LabelTypo> likely_typos(std::span<const std::string> names, std::span<const std::size_t> items,
                                    std::size_t times = 1);
// "'hapy' (1) beside 'happy' (50)".
std::string typo_text(const LabelTypo& typo);

// The same of a run's targets, classes or labels, for its warnings: where the rare name is hardly ever used (a fifth
// of the common one's items at most), so that "cat" beside "car" is no matter; three pairs at most, and none of over
// 1,000 classes, which would take time at each start.
std::optional<std::string> remark_on_typos(const Targets& targets);

// What a reader of the table should know of labels that may well be meant so: classes that differ by case alone, a
// number that has two values.
std::optional<std::string> remark_on(const Targets& targets);

// Whether all classes are whole numbers that count from 0 or 1, ten at most, or just two: codes of classes, most
// likely, but a scale of seven steps looks the same.
bool class_codes(const Targets& targets);

// The answer: `kind` is "classes" or "values" (else Error{usage}). Names of classes become numbers (Error{input} where
// one is none), values classes called by their numbers. Other kinds of targets are Error{usage}.
Targets labels_as(const Targets& targets, const std::string& kind);

}  // namespace vise::datasets
