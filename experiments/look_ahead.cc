#include "experiments/look_ahead.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "experiments/runner.h"
#include "experiments/task_run.h"
#include "extract/networks/bf16.h"

namespace vise::experiments {
namespace {

// An image that two data sets share is counted for each: its content may not be known yet.
void add_features(const std::vector<features::FeatureStatus>& all, const std::string& task, const Context& context,
                  LookAhead& ahead) {
  // Three rates make the estimate, in thread-seconds an image: a network's forward pass, the same in bf16, and what
  // is done to the image before. feature_status() has them from earlier extractions.
  double seconds = 0, bf16_seconds = 0, most_images = 0, image_seconds = 0;
  std::set<std::string> counted;  // taps of one network share its forward pass
  bool all_known = true;
  for (const features::FeatureStatus& status : all) {
    ahead.features.push_back({task, status});
    const std::size_t images = status.missing + status.unread;
    if (!status.problem.empty() || images == 0 || !counted.insert(status.backbone).second) continue;
    ahead.images += images;
    ahead.could_be_bf16 = ahead.could_be_bf16 || status.could_be_bf16;
    if (!status.forward_seconds) {
      all_known = false;
      continue;
    }
    seconds += static_cast<double>(images) * *status.forward_seconds;
    bf16_seconds +=
        static_cast<double>(images) *
        (status.could_be_bf16 ? status.bf16_forward_seconds.value_or(*status.forward_seconds / networks::bf16_gain())
                              : *status.forward_seconds);
    most_images = std::max(most_images, static_cast<double>(images));
    // Decoding is shared, so the slowest measurement of it counts once, for the backbone
    // that needs the most images.
    image_seconds = std::max(image_seconds, *status.image_seconds);
  }
  if (!all_known || !ahead.extract_seconds) {
    ahead.extract_seconds.reset();
    ahead.bf16_extract_seconds.reset();
    return;
  }
  // An image is decoded once for all backbones, but goes through each network.
  *ahead.extract_seconds += (seconds + most_images * image_seconds) / context.threads;
  *ahead.bf16_extract_seconds += (bf16_seconds + most_images * image_seconds) / context.threads;
}

// Seconds of earlier fits of the same probe, whatever the task.
class FitTimes {
 public:
  explicit FitTimes(const std::map<std::string, Result>& earlier) {
    for (const auto& [key, result] : earlier)
      if (const auto fit = result.seconds.find("fit"); fit != result.seconds.end()) {
        auto& [sum, count] = by_probe_[result.cell.probe];
        sum += fit->second;
        ++count;
      }
  }
  std::optional<double> of(const std::string& probe) const {
    const auto found = by_probe_.find(probe);
    if (found == by_probe_.end()) return std::nullopt;
    // A mean over tasks of any size: a rough guide, and printed as "about".
    return found->second.first / found->second.second;
  }

 private:
  std::map<std::string, std::pair<double, double>> by_probe_;
};

// The run's own rule (runner.cc), for a dry run.
CellState state_of(const PlannedCell& cell, const RunRequest& request, const std::map<std::string, Result>& earlier) {
  const auto found = earlier.find(cell.key);
  if (cell.key.empty() || found == earlier.end()) return CellState::open;
  if (request.overwrite == Overwrite::always) return CellState::open;
  return request.overwrite == Overwrite::never || found->second.ok() ? CellState::known : CellState::open;
}

// A backbone without weights fails in all its cells, known results included.
bool can_be_had(const PlannedCell& cell, const std::vector<features::FeatureStatus>& all) {
  return std::ranges::none_of(
      all, [&](const features::FeatureStatus& s) { return s.backbone == cell.cell.backbone && !s.problem.empty(); });
}

void add_cells(const TaskRun& task, const std::vector<features::FeatureStatus>& status, const RunRequest& request,
               const std::map<std::string, Result>& earlier, const FitTimes& times, LookAhead& ahead) {
  for (const PlannedCell& cell : task.plan()) {
    const CellState state = can_be_had(cell, status) ? state_of(cell, request, earlier) : CellState::fails;
    ahead.cells.push_back({cell.cell, state});
    ++(state == CellState::known ? ahead.known : state == CellState::open ? ahead.open : ahead.failing);
    if (state != CellState::open) continue;
    const std::optional<double> seconds = times.of(cell.cell.probe);
    // One probe whose time isn't known leaves the sum unknown: a sum without it would be read as the whole.
    if (!seconds || !ahead.fit_seconds)
      ahead.fit_seconds.reset();
    else
      *ahead.fit_seconds += *seconds;
  }
}

// Weights of each backbone once; whether they are here, would be fetched or can't be had.
void add_weights(const RunRequest& request, LookAhead& ahead) {
  std::set<std::string> seen;
  for (const Task& task : request.tasks)
    for (const features::Backbone& backbone : task.rows)
      if (backbone.kind == features::BackboneKind::weights && seen.insert(backbone.name).second)
        ahead.weights.push_back(
            {backbone.name, backbone.licence, features::weights_status(backbone, request.extract.weights)});
}

}  // namespace

bool LookAhead::lacks_something() const {
  return !failing_tasks.empty() ||
         std::ranges::any_of(weights, [](const WeightsAhead& w) { return !w.status.problem.empty(); });
}

// The same TaskRun as the run's own, only that it looks at the cache where the run extracts:
// plan and run can't disagree about what is missing.
LookAhead look_ahead(const RunRequest& given, const Context& context) {
  const RunRequest request = resolved(given);
  const std::map<std::string, Result> earlier = earlier_results(request.out / "results.jsonl");
  const FitTimes times(earlier);
  LookAhead ahead;
  ahead.extract_seconds = ahead.fit_seconds = ahead.bf16_extract_seconds = 0.0;
  for (const Task& task : request.tasks) {
    try {
      TaskRun run(request, task, context);
      const std::vector<features::FeatureStatus>& status = run.look();
      add_features(status, run.task().name, context, ahead);
      add_cells(run, status, request, earlier, times, ahead);
      const Task& planned = run.task();
      ahead.tests.push_back({planned.name, planned.target, run.targets().kind() == datasets::TargetKind::classes,
                             planned.split.number > 0, run.test_images()});
    } catch (const Error& e) {
      // One task's missing data must not hide what is known of the others.
      if (e.kind() == ErrorKind::interrupted || request.tasks.size() == 1) throw;
      ahead.failing_tasks.push_back({task.name.empty() ? task.data.string() : task.name, e.message(), e.hint()});
    }
  }
  if (!ahead.could_be_bf16 || !networks::cpu_has_bf16()) ahead.bf16_extract_seconds.reset();
  add_weights(request, ahead);
  return ahead;
}

}  // namespace vise::experiments
