#include "experiments/run_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "probes/parse_probe.h"

namespace vise::experiments {
namespace {

// Afterwards the baseline is the name of a row; one that wasn't listed is put first.
void resolve_baseline(Task& task, const RunRequest& request) {
  const auto is_listed = [&](const std::string& name) {
    return std::ranges::count(task.rows, name, &features::Backbone::name) > 0;
  };
  if (!request.baseline.empty()) task.baseline = request.baseline;
  if (is_listed(task.baseline)) return;
  // At several input sizes a name stands for its first row.
  const auto at_side = std::ranges::find_if(task.rows, [&](const features::Backbone& row) {
    return !task.baseline.empty() && row.name.starts_with(task.baseline + "@");
  });
  if (at_side != task.rows.end()) {
    task.baseline = at_side->name;
    return;
  }
  if (request.baseline.empty() && (task.baseline.empty() || !request.backbones.empty())) {
    task.baseline = task.rows.front().name;
    return;
  }
  features::Backbone row = features::parse_backbone(task.baseline);
  task.baseline = row.name;
  if (!is_listed(row.name)) task.rows.insert(task.rows.begin(), std::move(row));
}

// The one place where backbones' texts become values. A resolved task has no texts left.
// The request's backbones replace a task's own; each at every input size that was asked for.
void resolve_backbones(Task& task, const RunRequest& request) {
  if (!request.backbones.empty()) task.backbones = request.backbones;
  if (!task.backbones.empty()) {
    task.rows.clear();
    for (const std::string& text : task.backbones) task.rows.push_back(features::parse_backbone(text));
    task.backbones.clear();
  }
  if (task.rows.empty())
    throw Error(ErrorKind::usage, "no backbone was named",
                "add --backbone NAME[,NAME] or NAME=FILE; vise-eval list backbones");
  task.rows = features::with_sides(std::move(task.rows), request.sides);
  std::set<std::string> names;
  for (const features::Backbone& row : task.rows)
    if (!names.insert(row.name).second)
      throw Error(ErrorKind::usage, fmt::format("--backbone: '{}' is named twice", row.name),
                  "give each row a name of its own: NAME=FILE");
  resolve_baseline(task, request);
}

// The request's probes replace a task's own. Without any, the target's kind decides (TaskRun).
void resolve_probes(Task& task, const RunRequest& request) {
  if (!request.probes.empty()) task.probes = request.probes;
  for (const std::string& probe : task.probes) {
    probes::parse_probe(probe).make(0);  // a wrong option is said before hours of extraction
  }
}

}  // namespace

// Afterwards each task says by itself what it is run with, and the request's own lists are
// empty: resolving twice is resolving once.
RunRequest resolved(RunRequest request) {
  for (Task& task : request.tasks) {
    resolve_backbones(task, request);
    resolve_probes(task, request);
  }
  request.backbones.clear();
  request.sides.clear();
  request.probes.clear();
  request.baseline.clear();
  return request;
}

TrainSubset parse_shots(const std::string& text) {
  std::int64_t shots = 0;
  if (text == "all") return {};
  if (!parse_int(text, shots) || shots < 1 || shots > 1'000'000)
    throw Error(ErrorKind::usage, fmt::format("--shots: '{}' is no number of images", text),
                "write how many of each class, or all: 1,2,4,all");
  return {static_cast<int>(shots), 1};
}

TrainSubset parse_fraction(const std::string& text) {
  double fraction = 0;
  if (!parse_double(text, fraction) || !(fraction > 0) || fraction > 1)
    throw Error(ErrorKind::usage, fmt::format("--fraction: '{}' is no share of train", text),
                "write shares above 0 and at most 1: 0.01,0.1,1");
  return {0, fraction};
}

}  // namespace vise::experiments
