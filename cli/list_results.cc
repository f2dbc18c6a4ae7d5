#include "cli/list_results.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "experiments/result.h"
#include "experiments/results_file.h"

namespace vise::cli {
namespace {

// A run in one line. `problem`: why its results can't be read, in which case the rest is empty.
struct RunSummary {
  std::string folder, problem, last, version;
  std::set<std::string> tasks, backbones, probes;
  std::size_t ok = 0, failed = 0;
};

RunSummary summary_of(const Path& file) {
  RunSummary summary;
  summary.folder = file.parent_path().string();
  try {
    for (const experiments::Result& result : experiments::read_results(file, experiments::ResultDetail::table)) {
      ++(result.ok() ? summary.ok : summary.failed);
      summary.tasks.insert(result.cell.task);
      summary.backbones.insert(result.cell.backbone);
      summary.probes.insert(result.cell.probe);
      // Times are ISO 8601 texts: the largest is the latest.
      summary.last = std::max(summary.last, result.started_at);
      summary.version = result.version;
    }
  } catch (const Error& e) {
    // A run that can't be read is listed with the reason; the others are found all the same.
    summary.problem = e.message();
  }
  return summary;
}

// "a, b, c, ... 12 in all"
std::string some_of(const std::set<std::string>& names) {
  constexpr std::size_t kMost = 4;
  std::vector<std::string> shown;
  for (const std::string& name : names)
    if (shown.size() < kMost) shown.push_back(name);
  return join(shown, ", ") + (names.size() > kMost ? fmt::format(", ... {} in all", names.size()) : "");
}

// Every folder with a results.jsonl is a run, however deep.
std::vector<RunSummary> summaries_below(const Path& folder) {
  std::vector<RunSummary> runs;
  const auto skip = std::filesystem::directory_options::skip_permission_denied;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, skip))
    if (entry.path().filename() == "results.jsonl" && entry.is_regular_file()) runs.push_back(summary_of(entry.path()));
  // The latest run first.
  std::ranges::sort(runs, std::greater{}, [](const RunSummary& run) { return std::pair(run.last, run.folder); });
  return runs;
}

}  // namespace

void list_results(const std::string& folder, const Session& session) {
  if (!std::filesystem::is_directory(folder))
    throw Error(ErrorKind::missing, fmt::format("{}: there is no such folder", folder),
                "runs write below vise-results, or where --out said");
  const std::vector<RunSummary> runs = summaries_below(folder);
  Json list = Json::array();
  for (const RunSummary& run : runs) {
    list.push_back({{"folder", run.folder},
                    {"tasks", run.tasks},
                    {"backbones", run.backbones},
                    {"probes", run.probes},
                    {"ok", run.ok},
                    {"failed", run.failed},
                    {"started_at", run.last},
                    {"version", run.version},
                    {"problem", run.problem}});
    if (session.json) continue;
    if (!run.problem.empty())
      fmt::print("{}: {}\n", run.folder, run.problem);
    else
      fmt::print("{}  {}  {} result(s){}: {}; {}; {}\n", run.last, run.folder, run.ok,
                 run.failed > 0 ? fmt::format(", {} failed", run.failed) : "", some_of(run.tasks),
                 some_of(run.backbones), some_of(run.probes));
  }
  if (session.json) fmt::print("{}\n", list.dump());
  if (!session.json && runs.empty()) fmt::print("no results below {}\n", folder);
}

}  // namespace vise::cli
