#include "base/csv.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace vise {

CsvReader::CsvReader(std::string_view text, std::string name_for_messages, char separator)
    : rest_(text), name_(std::move(name_for_messages)), separator_(separator) {
  // Excel saves "CSV UTF-8" with a byte order mark, which would otherwise become part
  // of the first column's name.
  if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);
}

void CsvReader::fail(std::string_view what) const {
  throw Error(ErrorKind::input, fmt::format("{}: line {}: {}", name_, record_line_, what));
}

// A cell up to the separator or the line's end. A quote in its middle is a letter of it, as in Python's csv module.
std::string_view CsvReader::plain_cell() {
  std::size_t end = 0;
  while (end < rest_.size() && rest_[end] != separator_ && rest_[end] != '\n') ++end;
  std::string_view cell = rest_.substr(0, end);
  rest_.remove_prefix(end);
  // A carriage return counts as a line end only before a newline; alone it is part of the cell.
  if (cell.ends_with('\r') && (rest_.empty() || rest_.front() == '\n')) cell.remove_suffix(1);
  return cell;
}

// A cell that begins with a quote; the quotes that enclose it are taken off.
std::string_view CsvReader::quoted_cell() {
  rest_.remove_prefix(1);
  // RFC 4180: a quote inside a quoted cell is doubled. Most quoted cells have none, so the cell stays
  // a view of the text and a buffer is made only once a doubled quote is seen.
  std::string* buffer = nullptr;
  while (true) {
    const auto quote = rest_.find('"');
    if (quote == std::string_view::npos) fail("a quoted cell is never closed");
    const std::string_view piece = rest_.substr(0, quote);
    // A quoted cell may span lines; messages name the line on which a record begins.
    line_ += static_cast<std::size_t>(std::count(piece.begin(), piece.end(), '\n'));
    rest_.remove_prefix(quote + 1);
    const bool doubled = rest_.starts_with('"');
    // unquoted_ is a deque, so the address holds while further cells of the record need buffers of their own.
    if (doubled && !buffer) buffer = &unquoted_.emplace_back();
    if (buffer) buffer->append(piece);
    if (!doubled) {
      if (rest_.starts_with("\r\n")) rest_.remove_prefix(1);
      // Python's csv module would join the rest to the cell in silence; here the row is
      // wrong, since its quotes are.
      if (!rest_.empty() && rest_.front() != separator_ && rest_.front() != '\n') fail("text follows a closing quote");
      return buffer ? std::string_view(*buffer) : piece;
    }
    buffer->push_back('"');
    rest_.remove_prefix(1);
  }
}

bool CsvReader::next() {
  // Blank lines separate no records (pandas and Python's DictReader skip them too), but
  // they count for line numbers.
  while (rest_.starts_with('\n') || rest_.starts_with("\r\n")) {
    rest_.remove_prefix(rest_.front() == '\n' ? 1 : 2);
    ++line_;
  }
  if (rest_.empty()) return false;
  cells_.clear();
  unquoted_.clear();
  record_line_ = line_;
  while (true) {
    cells_.push_back(rest_.starts_with('"') ? quoted_cell() : plain_cell());
    if (rest_.empty()) return true;
    const bool ends = rest_.front() == '\n';
    rest_.remove_prefix(1);
    // The line is counted where its record ends, so that record_line_ is still the one it began on.
    if (ends) {
      ++line_;
      return true;
    }
  }
}

CsvTable CsvTable::parse(std::string text, std::string name_for_messages, char separator) {
  CsvTable table;
  table.name_ = name_for_messages;
  CsvReader reader(text, std::move(name_for_messages), separator);
  if (!reader.next()) throw Error(ErrorKind::input, fmt::format("{}: is empty; a header line is needed", table.name_));
  table.header_.assign(reader.cells().begin(), reader.cells().end());
  while (reader.next()) {
    // A row that is short or long is a comma in an unquoted text as a rule; filling it up
    // would shift labels by one column.
    if (reader.cells().size() != table.header_.size())
      throw Error(ErrorKind::input, fmt::format("{}: line {}: {} cells, but the header has {}", table.name_,
                                                reader.row(), reader.cells().size(), table.header_.size()));
    table.records_.emplace_back(reader.cells().begin(), reader.cells().end());
    table.lines_.push_back(reader.row());
  }
  return table;
}

// Linear search: headers have some dozen columns, and a caller asks once for each.
bool CsvTable::has_column(std::string_view name) const {
  return std::find(header_.begin(), header_.end(), name) != header_.end();
}

std::size_t CsvTable::column(std::string_view name) const {
  const auto found = std::find(header_.begin(), header_.end(), name);
  if (found == header_.end())
    throw Error(ErrorKind::input, fmt::format("{}: has no column '{}'", name_, name), suggest(name, header_));
  return static_cast<std::size_t>(found - header_.begin());
}

// Quoted only where a reader would otherwise split the cell, so that most lines stay plain text.
std::string csv_cell(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted.push_back('"');
    quoted.push_back(c);
  }
  return quoted + '"';
}

std::string csv_line(std::span<const std::string> cells) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i) line.push_back(',');
    line += csv_cell(cells[i]);
  }
  return line + '\n';
}

}  // namespace vise
