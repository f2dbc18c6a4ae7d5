#include "experiments/runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "base/error.h"
#include "base/text.h"
#include "base/threads.h"
#include "experiments/results_file.h"
#include "experiments/seal.h"
#include "experiments/study.h"
#include "experiments/task_run.h"

namespace vise::experiments {
namespace {

// run(): all tasks are opened, the plan is written, then task by task features are extracted and CellQueue fits what
// isn't known; what fails is recorded beside what succeeds.

// Cells side by side each hold a few copies of their rows in memory: beyond this they take turns on all threads.
constexpr double kMostBytesSideBySide = 4e9;

// Whether the earlier result of a cell's key stands for the cell.
bool is_reusable(const Result& result, Overwrite overwrite) {
  if (overwrite == Overwrite::always) return false;
  return overwrite == Overwrite::never || result.ok();
}

// The cells of one task on their way into the outcome: results arrive in any order and are appended in the plan's.
class CellQueue {
 public:
  CellQueue(const TaskRun& task, const RunRequest& request, const std::map<std::string, Result>& earlier)
      // results_ has a place for each cell of the plan; a place is filled by an earlier result here, or by its fit
      // later.
      : task_(task), request_(request), cells_(task.plan()), results_(cells_.size()), is_new_(cells_.size()) {
    for (std::size_t i = 0; i < cells_.size(); ++i) {
      const auto known = earlier.find(cells_[i].key);
      if (known != earlier.end() && is_reusable(known->second, request.overwrite))
        results_[i] = known->second;
      else
        open(i);
    }
  }

  void fit_all(const Context& context) {
    // Many small fits run best one a thread; few or large ones take all threads in turn.
    const bool side_by_side = fits_.size() >= 2 * static_cast<std::size_t>(context.threads) &&
                              bytes_a_cell() * context.threads < kMostBytesSideBySide;
    // Each of the fits side by side would otherwise start as many threads as the run has.
    const Context one_thread{context.log, context.stop, 1};
    // Passes over the earlier results at the plan's beginning: they are in the file already.
    append_ready();
    parallel_for(side_by_side ? context.threads : 1, fits_.size(), [&](std::size_t f) {
      context.throw_if_stopped();
      std::vector<const PlannedCell*> cells;
      for (const std::size_t i : fits_[f]) cells.push_back(&cells_[i]);
      std::vector<Result> results = task_.fit_and_keep(cells, request_.out, side_by_side ? one_thread : context);
      const std::lock_guard lock(mutex_);
      for (std::size_t c = 0; c < results.size(); ++c) {
        results_[fits_[f][c]] = std::move(results[c]);
        is_new_[fits_[f][c]] = true;
      }
      append_ready();
      context.log.progress("fitting probes", ++done_, fits_.size());
    });
  }

  void move_to(RunOutcome& outcome) {
    for (std::size_t i = 0; i < results_.size(); ++i) {
      const bool ok = results_[i]->ok();
      ++(!ok ? outcome.failed : is_new_[i] ? outcome.fitted : outcome.reused);
      outcome.results.push_back(std::move(*results_[i]));
    }
  }

 private:
  // Seeds that a probe doesn't use join the fit of the first.
  void open(std::size_t i) {
    const std::string& key = cells_[i].fit_key;
    const auto [fit, is_new] = fit_of_key_.try_emplace(key, fits_.size());
    if (is_new || key.empty())
      fits_.push_back({i});
    else
      fits_[fit->second].push_back(i);
  }

  // Sixteen bytes a number of train and val: a few copies in float32, or two in double.
  double bytes_a_cell() const {
    std::size_t dim = 0;
    for (const PlannedCell& cell : cells_)
      if (cell.features) dim = std::max(dim, cell.features->dim);
    return 16.0 * static_cast<double>(task_.fit_rows()) * static_cast<double>(dim);
  }

  void append_ready() {
    // Results are appended in the plan's order as soon as all before them are known: a killed run
    // leaves a prefix, and two runs write the same file whatever the threads did.
    for (; appended_ < results_.size() && results_[appended_]; ++appended_)
      if (is_new_[appended_]) append_result(request_.out / "results.jsonl", *results_[appended_]);
  }

  const TaskRun& task_;
  const RunRequest& request_;
  const std::vector<PlannedCell> cells_;
  std::vector<std::optional<Result>> results_;
  std::vector<char> is_new_;
  std::vector<std::vector<std::size_t>> fits_;  // the cells of each
  std::map<std::string, std::size_t> fit_of_key_;
  std::size_t appended_ = 0, done_ = 0;
  std::mutex mutex_;
};

// Extraction comes first and may leave images out, so splits and keys are known only after it.
void run_task(TaskRun& task, const RunRequest& request, const Context& context, RunOutcome& outcome) {
  task.extract();
  task.write_splits(request.out);
  CellQueue queue(task, request, earlier_results(request.out / "results.jsonl"));
  queue.fit_all(context);
  queue.move_to(outcome);
}

// Of several tasks; the only one's failure ends the run.
void record_failed(const RunRequest& request, const Task& task, const Error& error, const Context& context,
                   RunOutcome& outcome) {
  context.log.warn(fmt::format("task {} fails, the rest goes on: {}", task.name, error.message()));
  for (Result& result : failed_task(request, task, error.message())) {
    append_result(request.out / "results.jsonl", result);
    outcome.results.push_back(std::move(result));
    ++outcome.failed;
  }
}

// A task with its data, or why it has none.
struct OpenTask {
  Task task;
  std::unique_ptr<TaskRun> run;
  std::optional<Error> error;
};

// Two tasks of one name would write to one split file and be one section of the table.
void check_names(const std::vector<OpenTask>& tasks) {
  for (std::size_t i = 0; i < tasks.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (tasks[i].task.name == tasks[j].task.name && tasks[i].task.target == tasks[j].task.target)
        throw Error(ErrorKind::usage, fmt::format("the task '{}' is named twice", tasks[i].task.name));
}

// Every task's data before anything is computed: what is missing is said at once. Error where all of them fail.
std::vector<OpenTask> open_tasks(const RunRequest& request, const Context& context) {
  std::vector<OpenTask> tasks;
  for (const Task& task : request.tasks) {
    OpenTask open{task, nullptr, {}};
    if (task.name.empty()) open.task.name = name_of_split(task.data.stem().string(), task.split);
    try {
      open.run = std::make_unique<TaskRun>(request, task, context);
      open.task = open.run->task();
    } catch (const Error& e) {
      if (e.kind() == ErrorKind::interrupted) throw;
      open.error = e;
    }
    tasks.push_back(std::move(open));
  }
  if (std::ranges::none_of(tasks, [](const OpenTask& open) { return open.run != nullptr; })) throw *tasks.front().error;
  check_names(tasks);
  return tasks;
}

}  // namespace

std::map<std::string, Result> earlier_results(const Path& results_jsonl) {
  std::map<std::string, Result> by_key;
  std::error_code error;
  if (!std::filesystem::exists(results_jsonl, error)) return by_key;
  // Later lines of the file count, as read_results() has them already; the map is only for looking up.
  for (Result& result : read_results(results_jsonl)) by_key.insert_or_assign(result.key, std::move(result));
  return by_key;
}

RunOutcome run(const RunRequest& given, const Context& context) {
  RunRequest request = resolved(given);
  request.keeps_draws_of = request.out;
  RunOutcome outcome;
  const std::vector<OpenTask> tasks = open_tasks(request, context);
  RunRequest named = request;
  for (std::size_t t = 0; t < tasks.size(); ++t) {
    named.tasks[t] = tasks[t].task;
    outcome.tasks.push_back(tasks[t].task);
    outcome.baselines[tasks[t].task.name] = tasks[t].task.baseline;
    if (!tasks[t].task.kind.empty()) outcome.kinds[tasks[t].task.name] = tasks[t].task.kind;
  }
  warn_of_changes(request.out, context.log);  // the new seal would hide them
  break_seal(request.out);                    // whoever makes the tables seals it again
  // Written before anything is computed: a run that is killed can be resumed, and verified, by its plan.
  write_file_atomically(request.out / "plan.yaml", study_yaml(named));
  for (const OpenTask& open : tasks) {
    std::optional<Error> error = open.error;
    try {
      if (open.run) run_task(*open.run, request, context, outcome);
    } catch (const Error& e) {
      if (e.kind() == ErrorKind::interrupted || tasks.size() == 1) throw;
      error = e;
    }
    if (error) record_failed(request, open.task, *error, context, outcome);
  }
  return outcome;
}

}  // namespace vise::experiments
