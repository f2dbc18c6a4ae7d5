// The people's view of a section, shared by the writers that print columns: what each cell says, and how strongly.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reports/table.h"

namespace vise {

enum class Weight { plain, strong, faint };

struct GridCell {
  std::string text;
  Weight weight = Weight::plain;
  std::vector<int> notes = {};  // footnote numbers, printed after the text
};

struct GridColumn {
  std::string title;
  bool right_aligned = false;
  int importance = 0;  // narrow terminals drop the lowest first; 3 is never dropped
};

// columns.size() cells a row.
struct Grid {
  std::vector<GridColumn> columns;
  std::vector<std::vector<GridCell>> rows;
};

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

// Columns a text takes in a terminal: code points of UTF-8, wide East Asian ones twice, combining marks not at all.
std::size_t display_width(std::string_view utf8);
// The text followed (or, right-aligned, preceded) by blanks.
std::string padded(std::string_view utf8, std::size_t width, bool right_aligned);

}  // namespace vise
