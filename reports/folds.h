// Tasks cut into k folds, with a split drawn k times, or with k official splits (twitter-i.1 to twitter-i.5): papers
// print the mean over them, and so does a section of its own behind the others.
//
//   add_fold_means(table);
//
// A family is the sections NAME.1 to NAME.k of one rule (origin "fold 2 of 5 ..." or "draw 2 of 5 ...", all k of them,
// or "official, ..."), alike in target, metric, condition and sample of train. A row of the mean is a row of every
// fold; where one of them failed it failed. Its deviation is that over folds (ddof 1). Intervals and tests are
// make_report's (report.h).
#pragma once

#include "reports/table.h"

namespace vise::reports {

void add_fold_means(ComparisonTable& table);

// Whether the section is one of several draws of a split (origin "draw 2 of 5 ..."), whose parts overlap.
bool is_drawn_several_times(const TableSection& section);

}  // namespace vise::reports
