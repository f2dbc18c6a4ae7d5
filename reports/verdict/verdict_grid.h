// The people's view of a verdict: what writers print before the sections.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reports/grid.h"
#include "reports/verdict_values.h"

namespace vise::reports {

// A table with a title, a line below it, and sentences below the grid.
struct VerdictBlock {
  std::string title, head;
  Grid grid;
  std::vector<std::string> says;
};

// Of comparisons on all of train; what kinds of tasks differ in; how many labels are needed. In the order of reading.
std::vector<VerdictBlock> verdict_blocks(const Verdict& verdict, double alpha);

// How to read them; one sentence each. None for an empty verdict.
std::vector<std::string> verdict_guide(const Verdict& verdict);

// A gain on the comparison's scale, with its sign: "+3.1" points or hundredths of the way, "+0.031" of other metrics.
std::string gain_text(const TaskComparison& comparison, double gain);

}  // namespace vise::reports
