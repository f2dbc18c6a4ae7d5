// The comparison table as a document, in each form that people and programs read.
//
//   std::cout << to_markdown(table);
#pragma once

#include <cstddef>
#include <string>

#include "base/json.h"
#include "reports/table.h"

namespace vise::reports {

// Each returns the whole document.
std::string to_markdown(const ComparisonTable& table);
std::string to_csv(const ComparisonTable& table);
std::string to_latex(const ComparisonTable& table);  // a table environment a section; needs booktabs
std::string to_json_text(const ComparisonTable& table);

// The objects inside table.json.
Json table_json(const ComparisonTable& table);
Json difference_json(const Difference& difference, std::size_t compared_with);

struct TerminalStyle {
  bool colour = false;
  std::size_t width = 100;  // columns; wider tables lose their least important columns, with a line that says so
};
std::string to_terminal(const ComparisonTable& table, const TerminalStyle& style);

}  // namespace vise::reports
