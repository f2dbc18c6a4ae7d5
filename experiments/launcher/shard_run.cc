#include "experiments/launcher/shard_run.h"

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <numeric>

#include "base/error.h"
#include "experiments/task_run.h"

namespace vise::experiments {
namespace {

std::int64_t seconds_since_1970() { return std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()); }

// Rows over all keys.
std::size_t sum_of(const std::map<std::string, std::size_t>& rows) {
  return std::accumulate(rows.begin(), rows.end(), std::size_t{0},
                         [](std::size_t sum, const auto& entry) { return sum + entry.second; });
}

// Those whose data can be had; the final job records why the others can't.
std::vector<std::unique_ptr<TaskRun>> open_tasks(const RunRequest& request, const Context& context) {
  std::vector<std::unique_ptr<TaskRun>> tasks;
  std::optional<Error> first_error;
  for (const Task& task : request.tasks) {
    try {
      tasks.push_back(std::make_unique<TaskRun>(request, task, context));
    } catch (const Error& e) {
      if (e.kind() == ErrorKind::interrupted) throw;
      if (!first_error) first_error = e;
      context.log.warn(fmt::format("a task is left out: {}", e.message()));
    }
  }
  if (tasks.empty()) throw *first_error;
  return tasks;
}

}  // namespace

features::ShardRecord extract_shard(const RunRequest& given, const features::Shard& shard, const std::string& plan_hash,
                                    const Context& context) {
  // The same resolved request as the run's own: shards of one plan ask for the same rows.
  const RunRequest request = resolved(given);
  const Path& folder = request.extract.into;
  const std::vector<std::unique_ptr<TaskRun>> tasks = open_tasks(request, context);
  features::ShardRecord record{shard, features::ShardState::running, plan_hash};
  record.started = seconds_since_1970();
  record.kept_at_start = sum_of(features::count_kept(folder));
  for (const auto& task : tasks) record.to_compute += task->count_missing(shard.items(task->dataset().size()));
  // Written before the work as well: from it the status command knows how much there is to do.
  features::write_shard_record(folder, record);
  for (const auto& task : tasks) task->extract_part(shard.items(task->dataset().size()));
  record.state = features::ShardState::done;
  record.ended = seconds_since_1970();
  record.rows = features::count_kept(folder);
  features::write_shard_record(folder, record);
  return record;
}

}  // namespace vise::experiments
