// Plain HTML tables to be pasted into Word, Writer or a mail: their style is given in every cell, where those look for
// it.
#include <fmt/format.h>

#include "reports/escape.h"
#include "reports/layout.h"
#include "reports/paper_tables.h"
#include "reports/verdict/verdict_grid.h"

namespace vise::reports {
namespace {

// Heavy rules above and below, a light one below the head: those of booktabs. `windowtext` is the reader's own colour
// of text.
constexpr const char *kThick = "1.5pt solid windowtext", *kThin = "0.75pt solid windowtext";

std::string style(bool right, const std::string& rules) {
  return fmt::format("padding:2pt 5pt;text-align:{};vertical-align:top;white-space:nowrap{}", right ? "right" : "left",
                     rules);
}

std::string cell_text(const GridCell& cell) {
  std::string text = markup_text(cell.text);
  if (cell.weight == Weight::strong && !text.empty()) text = fmt::format("<b>{}</b>", text);
  if (cell.weight == Weight::faint && !text.empty()) text = fmt::format("<i>{}</i>", text);
  for (const int note : cell.notes) text += fmt::format("<sup>{}</sup>", note);
  return text;
}

std::string grid_text(const Grid& grid) {
  std::string text = "<thead><tr>";
  for (const GridColumn& column : grid.columns)
    text += fmt::format("<th scope=\"col\" style=\"{}\">{}</th>",
                        style(column.right_aligned, fmt::format(";border-top:{};border-bottom:{}", kThick, kThin)),
                        markup_text(column.title));
  text += "</tr></thead>\n<tbody>\n";
  for (std::size_t r = 0; r < grid.rows.size(); ++r) {
    const std::string rules = r + 1 == grid.rows.size() ? fmt::format(";border-bottom:{}", kThick) : "";
    text += "<tr>";
    for (std::size_t c = 0; c < grid.columns.size(); ++c)
      text += fmt::format("<td style=\"{}\">{}</td>", style(grid.columns[c].right_aligned, rules),
                          cell_text(grid.rows[r][c]));
    text += "</tr>\n";
  }
  return text + "</tbody>\n";
}

// One table with its caption. Titles come from users' folders and are escaped here, grids in cell_text().
std::string table_text(const std::string& title, const std::string& head, const Grid& grid) {
  return fmt::format(
      "<table style=\"border-collapse:collapse;font-size:10pt\">\n<caption style=\"text-align:left\">{}. {}</caption>\n"
      "{}</table>\n",
      markup_text(title), markup_text(head), grid_text(grid));
}

}  // namespace

std::string to_html_table(const ComparisonTable& table) {
  std::string text =
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>vise-eval table</title></head>\n"
      "<body style=\"font-family:'Times New Roman',serif;font-size:10pt\">\n";
  for (const VerdictBlock& block : verdict_blocks(table.verdict, table.alpha)) {
    text += table_text(block.title, block.head, block.grid);
    for (const std::string& sentence : block.says) text += fmt::format("<p>{}</p>\n", markup_text(sentence));
  }
  for (const TableSection& section : table.sections) {
    text += table_text(section_title(section), section_head(section), section_grid(section));
    if (const std::string foot = section_foot(section); !foot.empty())
      text += fmt::format("<p>{}</p>\n", markup_text(foot));
  }
  for (const std::string& sentence : reading_guide(table)) text += fmt::format("<p>{}</p>\n", markup_text(sentence));
  for (std::size_t i = 0; i < table.footnotes.size(); ++i)
    text += fmt::format("<p><sup>{}</sup> {}</p>\n", i + 1, markup_text(table.footnotes[i]));
  return text + "</body></html>\n";
}

}  // namespace vise::reports
