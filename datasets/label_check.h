// Labels that are no classes: what a person should be asked about before anybody trains on them.
//
//   if (const auto doubt = doubt_about(dataset.target("label"))) ask(*doubt);   // "are dates: 2019-01-02, 2019-01-05
//   ..."
//
// `run` asks, `audit` lists it as a finding.
#pragma once

#include <optional>
#include <string>

#include "datasets/targets.h"

namespace vise::datasets {

// Why these classes look like something else: a split's names or folds', file names, dates, numbers (other than the
// codes of a few classes, see class_codes), or as many values as half of the items. Nothing for other kinds of targets.
std::optional<std::string> doubt_about(const Targets& targets);

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
