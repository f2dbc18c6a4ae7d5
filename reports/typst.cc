// Typst tables with the rules of booktabs: nothing to import.
#include <fmt/format.h>

#include <algorithm>

#include "reports/escape.h"
#include "reports/layout.h"
#include "reports/paper_tables.h"
#include "reports/verdict/verdict_grid.h"

namespace vise::reports {
namespace {

// Markup mode throughout: the text is escaped, then wrapped in functions.
std::string cell_text(const GridCell& cell) {
  std::string text = typst_text(cell.text);
  if (cell.weight == Weight::strong && !text.empty()) text = fmt::format("#strong[{}]", text);
  if (cell.weight == Weight::faint && !text.empty()) text = fmt::format("#emph[{}]", text);
  for (const int note : cell.notes) text += fmt::format("#super[{}]", note);
  return text;
}

// A comma after the last cell is allowed in Typst.
std::string grid_text(const Grid& grid) {
  std::string align, head;
  for (const GridColumn& column : grid.columns) {
    align += column.right_aligned ? "right, " : "left, ";
    head += fmt::format("[{}], ", typst_text(column.title));
  }
  std::string text = fmt::format(
      "  table(columns: {}, align: ({}), stroke: none, inset: 3pt,\n    table.hline(stroke: 0.8pt),\n"
      "    table.header({}),\n    table.hline(stroke: 0.5pt),\n",
      grid.columns.size(), align, head);
  for (const auto& row : grid.rows) {
    text += "    ";
    for (const GridCell& cell : row) text += fmt::format("[{}], ", cell_text(cell));
    text += "\n";
  }
  return text + "    table.hline(stroke: 0.8pt)),\n";
}

// A figure numbers and captions the table; `kind: table` gives it a counter of its own beside pictures.
std::string figure_text(const std::string& title, const std::string& head, const Grid& grid) {
  return fmt::format("#figure(\n  kind: table, caption: [{}. {}],\n{})\n\n", typst_text(title), typst_text(head),
                     grid_text(grid));
}

}  // namespace

std::string to_typst(const ComparisonTable& table) {
  std::string text;
  for (const VerdictBlock& block : verdict_blocks(table.verdict, table.alpha)) {
    text += figure_text(block.title, block.head, block.grid);
    for (const std::string& sentence : block.says) text += typst_text(sentence) + "\n\n";
  }
  for (const TableSection& section : table.sections) {
    text += figure_text(section_title(section), section_head(section), section_grid(section));
    if (const std::string foot = section_foot(section); !foot.empty()) text += typst_text(foot) + "\n\n";
  }
  for (const std::string& sentence : reading_guide(table)) text += typst_text(sentence) + "\n";
  for (std::size_t i = 0; i < table.footnotes.size(); ++i)
    text += fmt::format("\n#super[{}] {}\n", i + 1, typst_text(table.footnotes[i]));
  return text;
}

}  // namespace vise::reports
