// booktabs tables for papers: \usepackage{booktabs} is all they need.
#include <fmt/format.h>

#include <algorithm>

#include "reports/escape.h"
#include "reports/layout.h"
#include "reports/table.h"
#include "reports/verdict/verdict_grid.h"
#include "reports/writers.h"

namespace vise::reports {
namespace {

std::string escaped(std::string_view text) { return latex_text(text); }

// Strong as what survives the tests, faint as what doesn't; LaTeX has no grey without a package.
std::string weighted(const std::string& text, Weight weight) {
  if (weight == Weight::strong) return fmt::format("\\textbf{{{}}}", text);
  return weight == Weight::faint ? fmt::format("\\textit{{{}}}", text) : text;
}

// "78.3 [66.7, 88.3] ns" with the interval small and below: beside it a table of five metrics is wider than a page.
std::string number_cell(const std::string& text, Weight weight) {
  const auto open = text.find(" ["), close = text.find(']', open);
  if (open == std::string::npos || close == std::string::npos) return weighted(text, weight);
  return fmt::format("\\begin{{tabular}}[t]{{@{{}}r@{{}}}}{}\\\\[-1pt]{{\\scriptsize {}}}\\end{{tabular}}",
                     weighted(text.substr(0, open) + text.substr(close + 1), weight),
                     text.substr(open + 1, close - open));
}

// "+-" is how the plain tables write it. A leading bracket would be taken for an option of the \\ before it.
std::string cell_text(const GridCell& cell, bool is_number) {
  std::string text = escaped(cell.text);
  if (const auto at = text.find(" +- "); at != std::string::npos) text.replace(at, 4, " $\\pm$ ");
  if (text.starts_with('[')) text.insert(0, "{}");
  text = is_number ? number_cell(text, cell.weight) : weighted(text, cell.weight);
  if (!cell.notes.empty()) text += fmt::format("\\textsuperscript{{{}}}", fmt::join(cell.notes, ","));
  return text;
}

std::string line(const std::vector<std::string>& cells) { return fmt::format("  {} \\\\\n", fmt::join(cells, " & ")); }

// A tabular with booktabs' three rules.
std::string tabular(const Grid& grid) {
  std::string alignment;
  std::vector<std::string> head;
  for (const GridColumn& column : grid.columns) {
    alignment += column.right_aligned ? 'r' : 'l';
    head.push_back(escaped(column.title));
  }
  std::string text = fmt::format("\\begin{{tabular}}{{{}}}\n  \\toprule\n{}  \\midrule\n", alignment, line(head));
  for (const auto& row : grid.rows) {
    std::vector<std::string> cells;
    for (std::size_t c = 0; c < row.size(); ++c) cells.push_back(cell_text(row[c], grid.columns[c].right_aligned));
    text += line(cells);
  }
  return text + "  \\bottomrule\n\\end{tabular}\n";
}

// What the caption says needs no room in the table: the probe where all rows have the same, and on what was chosen.
std::string caption_of(const TableSection& section, Grid& grid) {
  std::string caption = fmt::format("{}. {}", section_title(section), section_head(section));
  const auto named = [&](const std::string& start) {
    return std::ranges::find_if(grid.columns,
                                [&](const GridColumn& column) { return column.title.starts_with(start); });
  };
  // section_grid() always has a column "probe", so it is found.
  const auto place = named("probe") - grid.columns.begin();
  const auto probe = [&](const std::vector<GridCell>& row) { return row[static_cast<std::size_t>(place)].text; };
  if (std::ranges::all_of(grid.rows, [&](const auto& row) { return probe(row) == probe(grid.rows.front()); })) {
    caption += fmt::format("; probe: {}", probe(grid.rows.front()));
    grid.columns.erase(grid.columns.begin() + place);
    for (auto& row : grid.rows) row.erase(row.begin() + place);
  }
  if (const auto chosen = named("chosen on "); chosen != grid.columns.end()) {
    caption += fmt::format("; {}", chosen->title);
    chosen->title = "chosen";
  }
  return caption;
}

// The guide and the footnotes, below the last table alone, which all of them share.
std::string notes_text(const ComparisonTable& table) {
  std::string text;
  for (const std::string& sentence : reading_guide(table)) text += escaped(sentence) + "\n";
  for (std::size_t i = 0; i < table.footnotes.size(); ++i)
    text += fmt::format("\\textsuperscript{{{}}} {}\n", i + 1, escaped(table.footnotes[i]));
  return text;
}

// As wide as the page: a verdict has nine columns.
std::string block_text(const VerdictBlock& block) {
  std::string text = "\\begin{table*}\n\\centering\\footnotesize\\setlength{\\tabcolsep}{3pt}\n";
  text += fmt::format("\\caption{{{}. {}}}\n{}", escaped(block.title), escaped(block.head), tabular(block.grid));
  for (const std::string& sentence : block.says)
    text += fmt::format("\n\\parbox{{\\linewidth}}{{\\footnotesize {}}}\n", escaped(sentence));
  return text + "\\end{table*}\n";
}

}  // namespace

std::string to_latex(const ComparisonTable& table) {
  std::string text = "% needs \\usepackage{booktabs}\n";
  for (const VerdictBlock& block : verdict_blocks(table.verdict, table.alpha)) text += block_text(block);
  const std::string notes = notes_text(table);
  for (std::size_t s = 0; s < table.sections.size(); ++s) {
    const TableSection& section = table.sections[s];
    Grid grid = section_grid(section);
    text += "\\begin{table}\n\\centering\\footnotesize\\setlength{\\tabcolsep}{3pt}\n";
    text += fmt::format("\\caption{{{}}}\n", escaped(caption_of(section, grid)));
    text += tabular(grid);
    if (const std::string foot = section_foot(section); !foot.empty())
      text += fmt::format("\n\\smallskip\n\\parbox{{\\linewidth}}{{\\footnotesize {}}}\n", escaped(foot));
    if (s + 1 == table.sections.size() && !notes.empty())
      text += fmt::format("\n\\medskip\n\\parbox{{\\linewidth}}{{\\footnotesize\n{}}}\n", notes);
    text += "\\end{table}\n";
  }
  return text;
}

}  // namespace vise::reports
