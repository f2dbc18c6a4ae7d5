// Columns for a terminal: like the Markdown table without its bars; colour where asked for.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "reports/layout.h"
#include "reports/shorten.h"
#include "reports/table.h"
#include "reports/verdict/verdict_grid.h"
#include "reports/writers.h"

namespace vise::reports {
namespace {

// Columns between two cells, and the shortest to which a name is cut.
constexpr std::size_t kGap = 2, kShortest = 16;

// Control characters of names must not reach a terminal.
std::string harmless(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  return result;
}

std::string cell_text(const GridCell& cell, std::size_t most = std::string::npos) {
  std::string text = shortened(harmless(cell.text), most);
  for (const int note : cell.notes) text += fmt::format(" [{}]", note);
  return text;
}

// Bold (1) and faint (2) of ECMA-48; terminals without faint show plain text.
std::string coloured(std::string text, Weight weight) {
  if (weight == Weight::strong) return fmt::format("\x1b[1m{}\x1b[0m", text);
  if (weight == Weight::faint) return fmt::format("\x1b[2m{}\x1b[0m", text);
  return text;
}

// Of a line, with the gaps between its columns.
std::size_t total_width(const std::vector<std::size_t>& widths) {
  return std::accumulate(widths.begin(), widths.end(), std::size_t{0}) + kGap * (widths.size() - 1);
}

// Of a column's cells, without its title.
std::size_t widest(const Grid& grid, std::size_t column, std::size_t most = std::string::npos) {
  std::size_t width = 0;
  for (const auto& row : grid.rows) width = std::max(width, display_width(cell_text(row[column], most)));
  return width;
}

// Before a column goes, the names of rows and those in titles ("vs resnet50") give up what they can: notes stay.
// Returns how long a name may be.
std::size_t shorten_names(Grid& grid, std::vector<std::size_t>& widths, std::size_t limit) {
  for (std::size_t c = 0; c < grid.columns.size() && total_width(widths) > limit; ++c) {
    std::string& title = grid.columns[c].title;
    if (!title.starts_with("vs ")) continue;
    title = shortened(harmless(title), std::max(widest(grid, c), kShortest));
    widths[c] = std::max(widest(grid, c), display_width(title));
  }
  const std::size_t total = total_width(widths);
  if (total <= limit || grid.rows.empty()) return std::string::npos;
  std::size_t name = 0;
  for (const auto& row : grid.rows) name = std::max(name, display_width(harmless(row[0].text)));
  const std::size_t most = std::max(kShortest, name - std::min(name, total - limit));
  widths[0] = std::max(widest(grid, 0, most), display_width(grid.columns[0].title));
  return most;
}

// Drops the least important columns, rightmost first, until the table fits; returns the titles that went.
std::vector<std::string> drop_columns(Grid& grid, std::vector<std::size_t>& widths, std::size_t limit) {
  std::vector<std::string> dropped;
  while (total_width(widths) > limit) {
    std::size_t least = 0;
    for (std::size_t c = 0; c < grid.columns.size(); ++c)
      if (grid.columns[c].importance <= grid.columns[least].importance) least = c;
    // Names, the primary metric and its difference never go, however narrow the terminal.
    if (grid.columns[least].importance >= 3) break;
    dropped.push_back(grid.columns[least].title);
    const auto at = static_cast<std::ptrdiff_t>(least);
    grid.columns.erase(grid.columns.begin() + at);
    widths.erase(widths.begin() + at);
    for (auto& row : grid.rows) row.erase(row.begin() + at);
  }
  return dropped;
}

// In this order: measure, shorten names, then drop columns. What went is said below the table.
std::string grid_text(Grid grid, const TerminalStyle& style) {
  std::vector<std::size_t> widths;
  for (std::size_t c = 0; c < grid.columns.size(); ++c) {
    widths.push_back(std::max(display_width(harmless(grid.columns[c].title)), widest(grid, c)));
  }
  const std::size_t most = shorten_names(grid, widths, style.width);
  const std::vector<std::string> dropped = drop_columns(grid, widths, style.width);
  std::string text;
  const auto put_line = [&](auto&& cell, auto&& weight) {
    std::string line;
    for (std::size_t c = 0; c < grid.columns.size(); ++c) {
      const std::string column = padded(cell(c), widths[c], grid.columns[c].right_aligned);
      line += (c > 0 ? std::string(kGap, ' ') : "") + (style.colour ? coloured(column, weight(c)) : column);
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  };
  put_line([&](std::size_t c) { return harmless(grid.columns[c].title); }, [](std::size_t) { return Weight::faint; });
  for (const auto& row : grid.rows)
    put_line([&](std::size_t c) { return cell_text(row[c], c == 0 ? most : std::string::npos); },
             [&](std::size_t c) { return row[c].weight; });
  if (!dropped.empty()) text += fmt::format("(not shown at this width: {})\n", fmt::join(dropped, ", "));
  return text;
}

}  // namespace

std::string to_terminal(const ComparisonTable& table, const TerminalStyle& style) {
  std::string text;
  const auto titled = [&](const std::string& title, const std::string& head) {
    return (style.colour ? coloured(harmless(title), Weight::strong) : harmless(title)) + "\n" + harmless(head);
  };
  for (const VerdictBlock& block : verdict_blocks(table.verdict, table.alpha)) {
    text += titled(block.title, block.head) + "\n\n" + grid_text(block.grid, style) + "\n";
    for (const std::string& sentence : block.says) text += harmless(sentence) + "\n";
    if (!block.says.empty()) text += "\n";
  }
  for (const TableSection& section : table.sections) {
    text += titled(section_title(section), section_head(section));
    for (const int note : section.notes) text += fmt::format(" [{}]", note);
    text += "\n\n" + grid_text(section_grid(section), style) + "\n";
    if (const std::string foot = section_foot(section); !foot.empty()) text += harmless(foot) + "\n\n";
  }
  for (const std::string& sentence : reading_guide(table)) text += sentence + "\n";
  for (std::size_t i = 0; i < table.footnotes.size(); ++i)
    text += fmt::format("[{}] {}\n", i + 1, harmless(table.footnotes[i]));
  return text;
}

}  // namespace vise::reports
