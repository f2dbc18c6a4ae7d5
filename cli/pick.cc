#include "cli/pick.h"

#include <fmt/format.h>

#include <set>

#include "base/error.h"
#include "base/text.h"

namespace vise::cli {
namespace {

// A row by its backbone, its probe, both, or its key.
bool matches(const experiments::Result& result, const std::string& row) {
  const experiments::Cell& cell = result.cell;
  return row == cell.backbone || row == cell.probe || row == fmt::format("{}/{}", cell.backbone, cell.probe) ||
         // Shorter prefixes of a key (hex digits) could be a backbone's name that was mistyped.
         (row.size() >= 6 && result.key.starts_with(row));
}

}  // namespace

// Several results may match (seeds, tasks): all of them are compared.
Picked pick_row(const reports::RunFolder& run, const std::string& row) {
  Picked picked{row, run.path, {}};
  std::set<std::string> names;
  for (const experiments::Result& result : run.results) {
    names.insert(result.cell.backbone);
    if (matches(result, row)) picked.results.push_back(result);
  }
  if (picked.results.empty())
    throw Error(ErrorKind::usage, fmt::format("{} has no row '{}'", run.path.string(), row),
                suggest(row, std::vector<std::string>(names.begin(), names.end())) +
                    "; a row is a backbone, BACKBONE/PROBE, or the first digits of a key");
  return picked;
}

Picked pick(const std::string& word) {
  std::error_code error;
  const auto colon = word.rfind(':');
  // A folder's name may have a colon of its own.
  if (colon == std::string::npos || std::filesystem::exists(word, error)) {
    reports::RunFolder run = reports::read_run(word);
    return {word, run.path, std::move(run.results)};
  }
  Picked picked = pick_row(reports::read_run(word.substr(0, colon)), word.substr(colon + 1));
  picked.word = word;
  return picked;
}

}  // namespace vise::cli
