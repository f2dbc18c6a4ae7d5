// How verbs hand a report to people: printed, and as files.
#pragma once

#include <string>

#include "cli/session.h"
#include "reports/report_files.h"

namespace vise::cli {

// On stdout: JSON with --json, aligned columns elsewhere, in the width of a terminal
// where it is one.
void print_report(const reports::Report& report, const Session& session);

// Below a comparison of few rows: how many test images either of two alone gets right, and which, the surest first.
// Nothing with --json, which has them all.
void print_won_images(const reports::Report& report, const Session& session);

// table.md, table.csv and the like into `folder`, which is sealed where it is a run's; returns their names, "table.md,
// table.csv".
std::string write_report(const reports::Report& report, const reports::ReportRecipe& recipe, const Path& folder);

void add_published_option(CLI::App* verb, std::string& file);

}  // namespace vise::cli
