// booktabs tables for papers: \usepackage{booktabs} is all they need.
#include <fmt/format.h>

#include "reports/layout.h"
#include "reports/table.h"

namespace vise {
namespace {

// Text that LaTeX prints as it is. Control characters become blanks; other bytes of UTF-8 stay.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '\\':
        result += "\\textbackslash{}";
        break;
      case '~':
        result += "\\textasciitilde{}";
        break;
      case '^':
        result += "\\textasciicircum{}";
        break;
      case '<':
        result += "\\textless{}";
        break;
      case '>':
        result += "\\textgreater{}";
        break;
      case '|':
        result += "\\textbar{}";
        break;
      case '"':
        result += "\\char34{}";
        break;
      case '&':
      case '%':
      case '$':
      case '#':
      case '_':
      case '{':
      case '}':
        result += '\\';
        result += c;
        break;
      default:
        result += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
    }
  }
  return result;
}

// "+-" is how the plain tables write it. A leading bracket would be taken for an option of the \\ before it.
std::string cell_text(const GridCell& cell) {
  std::string text = escaped(cell.text);
  if (const auto at = text.find(" +- "); at != std::string::npos) text.replace(at, 4, " $\\pm$ ");
  if (text.starts_with('[')) text.insert(0, "{}");
  if (cell.weight == Weight::strong) text = fmt::format("\\textbf{{{}}}", text);
  if (cell.weight == Weight::faint) text = fmt::format("\\textit{{{}}}", text);
  if (!cell.notes.empty()) text += fmt::format("\\textsuperscript{{{}}}", fmt::join(cell.notes, ","));
  return text;
}

std::string line(const std::vector<std::string>& cells) { return fmt::format("  {} \\\\\n", fmt::join(cells, " & ")); }

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
    for (const GridCell& cell : row) cells.push_back(cell_text(cell));
    text += line(cells);
  }
  return text + "  \\bottomrule\n\\end{tabular}\n";
}

std::string notes_text(const ComparisonTable& table) {
  std::string text;
  for (const std::string& sentence : reading_guide(table)) text += escaped(sentence) + "\n";
  for (std::size_t i = 0; i < table.footnotes.size(); ++i)
    text += fmt::format("\\textsuperscript{{{}}} {}\n", i + 1, escaped(table.footnotes[i]));
  return text;
}

}  // namespace

std::string to_latex(const ComparisonTable& table) {
  std::string text = "% needs \\usepackage{booktabs}\n";
  const std::string notes = notes_text(table);
  for (std::size_t s = 0; s < table.sections.size(); ++s) {
    const TableSection& section = table.sections[s];
    text += "\\begin{table}\n\\centering\\small\n";
    text += fmt::format("\\caption{{{}. {}}}\n", escaped(section_title(section)), escaped(section_head(section)));
    text += tabular(section_grid(section));
    if (s + 1 == table.sections.size() && !notes.empty())
      text += fmt::format("\n\\medskip\n\\parbox{{\\linewidth}}{{\\footnotesize\n{}}}\n", notes);
    text += "\\end{table}\n";
  }
  return text;
}

}  // namespace vise
