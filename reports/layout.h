// The people's view of a section, shared by the writers that print columns: what each cell says, and how strongly.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reports/grid.h"
#include "reports/table.h"

namespace vise::reports {

Grid section_grid(const TableSection& section);

// "omi300/happy: label (high, low), 4 images a class"
std::string section_title(const TableSection& section);
// "accuracy in % on test (60 images); split: official, train 180, val 60, test 60"
std::string section_head(const TableSection& section);
// Below a section's grid: the smallest difference to the baseline that its test images would show with 80 % power, over
// the rows. "" where no difference was tested.
std::string section_foot(const TableSection& section);
// How to read intervals, marks and p-values; one sentence each, only those this table needs.
std::vector<std::string> reading_guide(const ComparisonTable& table);

}  // namespace vise::reports
