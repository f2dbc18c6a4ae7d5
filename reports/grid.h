// Cells in rows and columns, as writers print them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vise::reports {

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

// Columns a text takes in a terminal: code points of UTF-8, wide East Asian ones twice, combining marks not at all.
std::size_t display_width(std::string_view utf8);
// The text followed (or, right-aligned, preceded) by blanks.
std::string padded(std::string_view utf8, std::size_t width, bool right_aligned);

}  // namespace vise::reports
