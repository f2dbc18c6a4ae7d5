#include "datasets/cells.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

#include "base/text.h"

namespace vise::datasets {
namespace {

bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

// "1.234.567": groups of three after the first; also without any dot.
bool has_thousands(std::string_view whole) {
  std::size_t since_dot = 0;
  bool first = true;
  for (const char c : whole) {
    if (c == '.') {
      if (since_dot == 0 || since_dot > 3 || (!first && since_dot != 3)) return false;
      first = false;
      since_dot = 0;
    } else if (is_digit(c)) {
      ++since_dot;
    } else {
      return false;
    }
  }
  return since_dot > 0 && (first || since_dot == 3);
}

}  // namespace

bool is_missing(std::string_view cell) {
  cell = trim(cell);
  // The longest of the words below; nearly every cell leaves here.
  if (cell.size() > 4) return false;
  if (cell.empty() || cell == "-" || cell == "?" || cell == "None") return true;
  const std::string word = lower(cell);
  // What R, pandas, SQL and spreadsheets write for a missing value, in lower case.
  constexpr std::array<std::string_view, 6> kWords{"na", "n/a", "nan", "null", "#n/a", "<na>"};
  return std::find(kWords.begin(), kWords.end(), word) != kWords.end();
}

bool has_decimal_comma(std::string_view cell) {
  cell = trim(cell);
  if (cell.starts_with('-') || cell.starts_with('+')) cell.remove_prefix(1);
  const auto comma = cell.find(',');
  if (comma == std::string_view::npos) return false;
  const std::string_view whole = cell.substr(0, comma), rest = cell.substr(comma + 1);
  const auto digits = std::min(rest.find_first_of("eE"), rest.size());
  return digits > 0 && std::all_of(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(digits), is_digit) &&
         has_thousands(whole);
}

std::optional<double> parse_cell_number(std::string_view cell, bool decimal_comma) {
  double value = 0;
  // As it is first: a column with decimal commas has whole numbers as well.
  if (parse_double(cell, value)) return value;
  if (!decimal_comma || !has_decimal_comma(cell)) return std::nullopt;
  std::string plain;
  // A dot can only be between thousands here, and goes.
  for (const char c : trim(cell))
    if (c != '.') plain += c == ',' ? '.' : c;
  return parse_double(plain, value) ? std::optional(value) : std::nullopt;
}

}  // namespace vise::datasets
