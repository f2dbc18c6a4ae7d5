// GitHub-flavoured Markdown, aligned so that it reads as plain text too; and the same without its escapes, for pipes.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "base/threads.h"
#include "reports/layout.h"
#include "reports/paper_tables.h"
#include "reports/verdict/verdict_grid.h"
#include "reports/writers.h"

namespace vise::reports {
namespace {

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

// Text that Markdown shows as it is. Underscores inside words need no backslash.
std::string escaped(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_word(c)) {
      result += c;
      continue;
    }
    const bool inside_word = i > 0 && i + 1 < text.size() && is_word(text[i - 1]) && is_word(text[i + 1]);
    if (c == '\n' || c == '\r' || c == '\t') {
      result += ' ';
      continue;
    }
    if (std::string_view("\\|<>*`#~&").find(c) != std::string_view::npos || (c == '_' && !inside_word)) result += '\\';
    result += c;
  }
  return result;
}

// Text as it is, without what would break a line.
std::string unescaped(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  return result;
}

using Say = std::string (*)(std::string_view);  // one of the two

std::string cell_text(const GridCell& cell, Say say) {
  std::string text = say(cell.text);
  if (cell.weight == Weight::strong && !text.empty()) text = fmt::format("**{}**", text);
  for (const int note : cell.notes) text += fmt::format(" [{}]", note);
  return text;
}

// One line of the table, its cells padded to the columns' widths in a terminal, so that CJK names align too.
void add_line(std::string& text, const std::vector<std::string>& cells, const std::vector<std::size_t>& widths,
              const Grid& grid) {
  text += '|';
  for (std::size_t c = 0; c < cells.size(); ++c)
    text.append(1, ' ').append(padded(cells[c], widths[c], grid.columns[c].right_aligned)).append(" |");
  text += '\n';
}

// The line below the head: "---:" aligns a column to the right.
std::string rule(const std::vector<std::size_t>& widths, const Grid& grid) {
  std::string result = "|";
  for (std::size_t c = 0; c < widths.size(); ++c)
    result += fmt::format(" {:-<{}}{} |", "", widths[c] - 1, grid.columns[c].right_aligned ? ':' : '-');
  return result + "\n";
}

std::string grid_text(const Grid& grid, Say say) {
  std::vector<std::vector<std::string>> lines(1);
  for (const GridColumn& column : grid.columns) lines[0].push_back(say(column.title));
  for (const auto& row : grid.rows) {
    lines.emplace_back();
    for (const GridCell& cell : row) lines.back().push_back(cell_text(cell, say));
  }
  // A column's rule needs three characters: a colon and dashes.
  std::vector<std::size_t> widths(grid.columns.size(), 3);
  for (const auto& cells : lines)
    for (std::size_t c = 0; c < cells.size(); ++c) widths[c] = std::max(widths[c], display_width(cells[c]));
  std::string text;
  add_line(text, lines[0], widths, grid);
  text += rule(widths, grid);
  for (std::size_t r = 1; r < lines.size(); ++r) add_line(text, lines[r], widths, grid);
  return text;
}

// A heading, what was measured, the grid, and what the test set can show. Footnotes of all rows follow the head.
std::string section_text(const TableSection& section, Say say) {
  std::string text = fmt::format("### {}\n\n{}", say(section_title(section)), say(section_head(section)));
  for (const int note : section.notes) text += fmt::format(" [{}]", note);
  text += "\n\n" + grid_text(section_grid(section), say) + "\n";
  if (const std::string foot = section_foot(section); !foot.empty()) text += say(foot) + "\n\n";
  return text;
}

std::string block_text(const VerdictBlock& block, Say say) {
  std::string text = fmt::format("### {}\n\n{}\n\n{}\n", say(block.title), say(block.head), grid_text(block.grid, say));
  for (const std::string& sentence : block.says) text += say(sentence) + "\n\n";
  return text;
}

// Sections are formatted side by side: tables of thousands of rows take seconds otherwise. The result is joined in
// order.
std::string written(const ComparisonTable& table, Say say) {
  std::vector<std::string> sections(table.sections.size());
  parallel_for(available_cores(), sections.size(),
               [&](std::size_t s) { sections[s] = section_text(table.sections[s], say); });
  std::string text;
  for (const VerdictBlock& block : verdict_blocks(table.verdict, table.alpha)) text += block_text(block, say);
  text += join(sections, "");
  for (const std::string& sentence : reading_guide(table)) text += say(sentence) + "\n\n";
  for (std::size_t i = 0; i < table.footnotes.size(); ++i)
    text += fmt::format("[{}] {}\n\n", i + 1, say(table.footnotes[i]));
  if (text.ends_with("\n\n")) text.pop_back();
  return text;
}

}  // namespace

std::string to_markdown(const ComparisonTable& table) { return written(table, escaped); }

std::string to_plain(const ComparisonTable& table) { return written(table, unescaped); }

}  // namespace vise::reports
