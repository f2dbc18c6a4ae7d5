// How verbs hand a report to people: printed, and as files.
#pragma once

#include <string>

#include "cli/session.h"
#include "reports/report.h"

namespace vise::cli {

// On stdout: JSON with --json, aligned columns on a terminal, Markdown elsewhere.
void print_report(const Report& report, const Session& session);

// table.md, table.csv and the like into `folder`; returns their names, "table.md, table.csv".
std::string write_report(const Report& report, const Path& folder);

// The program's own, and after them those of the file where one is named.
std::vector<PublishedRecord> published_records(const std::string& file);
void add_published_option(CLI::App* verb, std::string& file);

}  // namespace vise::cli
