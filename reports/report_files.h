// The files of a report, as they are written beside results.jsonl, sealed, and rendered again to be compared.
//
//   const ReportRecipe recipe = {.baselines = outcome.baselines};
//   write_report_files(report, recipe, folder);              // tables, the seal, the page that shows it
//   rendering_differences(folder, context, notes);           // later
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "experiments/seal.h"
#include "reports/report.h"

namespace vise::reports {

// How a report was made of the folder it is written to; what the seal keeps as Seal::tables.
struct ReportRecipe {
  std::string baseline = {};  // as CompareOptions has them
  std::map<std::string, std::string> baselines = {}, kinds = {};
  bool clean = false;                  // the folder's own clean/ is part of it
  bool gallery = false;                // with pictures, which the folder doesn't hold
  bool merged = false;                 // of other folders too
  Path published = {};                 // a file of published numbers; the folder gets a copy
  std::vector<std::string> keys = {};  // of the results, where they are not results.jsonl's in its order
};

// Name and text: table.md, table.csv, table.tex, verdict.csv where tasks are compared, those of ReportRegistry, and
// report.html at the end.
std::vector<std::pair<std::string, std::string>> report_files(const Report& report);

// Writes them. In a folder that holds results.jsonl also published.yaml and the seal, whose digest the page shows.
// Returns the names.
std::vector<std::string> write_report_files(Report report, const ReportRecipe& recipe, const Path& folder);

// A sentence for each table or page in a sealed folder that isn't what the folder's results give. What can't be
// rendered again (pictures, a merged report, another version's tables) is listed in `notes`.
std::vector<std::string> rendering_differences(const Path& folder, const Context& context,
                                               std::vector<std::string>& notes);

// Whether two texts are the same but for the last digits of their numbers, as another processor may round them.
bool same_but_rounding(std::string_view a, std::string_view b);

}  // namespace vise::reports
