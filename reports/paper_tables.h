// Tables beside Markdown, CSV and LaTeX (table.h): for Typst, for Word, and plain ones for files and pipes.
#pragma once

#include <string>

#include "reports/table.h"

namespace vise::reports {

std::string to_typst(const ComparisonTable& table);
// To be pasted into Word, Writer or a mail. The page is to_html (report.h).
std::string to_html_table(const ComparisonTable& table);
// Markdown without its escapes: for people who read it in a file or behind a pipe.
std::string to_plain(const ComparisonTable& table);

}  // namespace vise::reports
