#include "experiments/launcher/launch.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "experiments/study.h"
#include "extract/features/recipe.h"

namespace vise::experiments {
namespace {

// Slurm's epilogue may take this long; a job is COMPLETING while it runs.
constexpr auto kMomentsToEnd = std::chrono::seconds(60);

std::int64_t seconds_since_1970() { return std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()); }

// Ends with this value, or with the process.
FileDescriptor lock_folder(const JobFolder& folder, const Context& context) {
  std::error_code error;  // opening reports what is wrong
  std::filesystem::create_directories(folder.logs(), error);
  FileDescriptor lock(::open(folder.lock().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (!lock) throw_errno("cannot write", folder.lock());
  // Two calls at once would submit every shard twice. flock ends with the process, so
  // nothing is left locked after a crash.
  for (bool told = false; ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0; told = true) {
    if (errno != EWOULDBLOCK && errno != EINTR) throw_errno("cannot lock", folder.lock());
    if (!told) context.log.info(fmt::format("another process submits jobs of {}; waiting", folder.out().string()));
    context.throw_if_stopped();
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  return lock;
}

// Jobs of this run that Slurm knows. One that is about to end is waited for: whether it did its work isn't known yet.
std::vector<SlurmJob> settled_jobs(const JobFolder& folder, const Context& context) {
  const auto until = std::chrono::steady_clock::now() + kMomentsToEnd;
  while (true) {
    std::vector<SlurmJob> jobs = jobs_named({folder.extract_name(), folder.finish_name()});
    const bool ends = std::ranges::any_of(jobs, [](const SlurmJob& job) { return job.state == "COMPLETING"; });
    if (!ends || std::chrono::steady_clock::now() > until) return jobs;
    context.throw_if_stopped();
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
  }
}

// make_recipe() fetches what it needs and leaves it where the jobs look; the recipe itself isn't used.
void fetch_weights_now(const RunRequest& request, const LookAhead& ahead, const Context& context) {
  for (const PlannedFeatures& features : ahead.features)
    if (!features.status.fetched_from.empty()) {
      for (const Task& task : request.tasks)
        for (const features::Backbone& row : task.rows)
          if (row.name == features.status.backbone)
            features::make_recipe({row, request.engine, request.precision, request.taps}, request.extract, context);
    }
}

// Submitting is idempotent: the same command looks at the queue and at the stores, submits
// what is neither done nor under way, and nothing twice.
class Launch {
 public:
  Launch(const LaunchRequest& request, const Context& context)
      : request_(request),
        context_(context),
        folder_(request.run.out),
        plan_(study_yaml(request.run)),
        plan_hash_(sha256_hex(plan_)) {}

  Launched run() {
    need_slurm();
    // Everything that can be known is asked before anything is submitted: hours in a queue
    // are a high price for a misspelt path.
    const LookAhead ahead = look_ahead(request_.run, context_);
    check_something_can_be_measured(ahead);
    // Compute nodes often have no network, and the jobs run with --offline.
    fetch_weights_now(resolved(request_.run), ahead, context_);
    const FileDescriptor lock = lock_folder(folder_, context_);
    jobs_ = settled_jobs(folder_, context_);
    open_record();
    sort_shards(ahead.images > 0);
    const bool is_complete = ahead.images == 0 && ahead.open == 0 && launched_.submitted.empty() &&
                             launched_.alive.empty() && has_finished();
    if (!is_complete) {
      write_scripts();
      submit_shards();
      submit_finish();
    }
    return launched_;
  }

 private:
  // What will fail is listed, and the launch goes on with the rest; where nothing would be measured it ends here.
  void check_something_can_be_measured(const LookAhead& ahead) {
    for (const FailingTask& task : ahead.failing_tasks)
      launched_.failing.push_back(fmt::format("{}: {}", task.name, task.why));
    std::string first;
    for (const PlannedFeatures& features : ahead.features) {
      if (features.status.problem.empty()) continue;
      launched_.failing.push_back(
          fmt::format("{}: {}: {}", features.task, features.status.backbone, features.status.problem));
    }
    if (ahead.known + ahead.open > 0) return;
    throw Error(ErrorKind::missing,
                launched_.failing.empty() ? "there is nothing to evaluate" : launched_.failing.front(),
                "nothing was submitted");
  }

  // The last job of this plan has ended and left its exit code.
  bool has_finished() const {
    std::error_code error;
    return std::filesystem::exists(folder_.finished(), error);
  }

  // Those that will still do something: one that waits for a failed job never will.
  std::vector<const SlurmJob*> live_jobs(const std::string& name) const {
    std::vector<const SlurmJob*> live;
    for (const SlurmJob& job : jobs_)
      if (job.name == name && job.is_live() && !job.can_never_start()) live.push_back(&job);
    return live;
  }

  // Of another plan or number of shards than this call's: nothing may be under way, and there may be no unmerged rows
  // that the new shards wouldn't find.
  void open_record() {
    const std::optional<LaunchRecord> old = read_launch_record(folder_);
    record_ = {request_.shards, plan_hash_, {}};
    if (!old) return;
    if (old->plan == plan_hash_ && old->shards == request_.shards) {
      record_.submissions = old->submissions;
      return;
    }
    if (!live_jobs(folder_.extract_name()).empty() || !live_jobs(folder_.finish_name()).empty())
      throw Error(ErrorKind::usage,
                  fmt::format("{}: jobs of another plan, or of another number of shards, are under way",
                              folder_.path().string()),
                  fmt::format("wait for them, cancel them (scancel --name={},{}), or choose another --out",
                              folder_.extract_name(), folder_.finish_name()));
    if (old->shards != request_.shards && has_unmerged_rows(old->shards))
      throw Error(
          ErrorKind::usage,
          fmt::format("{}: {} shards were begun there, not {}", folder_.path().string(), old->shards, request_.shards),
          fmt::format("--shards {} goes on with them; or remove {}", old->shards,
                      (folder_.path() / "shards").string()));
  }

  // Rows that only a shard's store has. Started with another number of shards they would be computed again.
  bool has_unmerged_rows(std::size_t shards) const {
    for (std::size_t number = 1; number <= shards; ++number) {
      const Path store = folder_.store({number, shards});
      const auto record = features::read_shard_record(store);
      if (record && record->state != features::ShardState::merged && !features::count_kept(store).empty()) return true;
    }
    return false;
  }

  // Done is what a store says of itself, under way what Slurm says; the record of
  // submissions decides nothing.
  void sort_shards(bool rows_are_missing) {
    std::vector<std::optional<features::ShardRecord>> records;
    for (std::size_t number = 1; number <= request_.shards; ++number) {
      records.push_back(features::read_shard_record(folder_.store({number, request_.shards})));
      // A store of another plan has other features; it is computed anew.
      if (records.back() && records.back()->plan != plan_hash_) records.back().reset();
    }
    const auto is = [](const std::optional<features::ShardRecord>& record, features::ShardState state) {
      return record && record->state == state;
    };
    // Rows that are still missing after all were merged are of images that are new since then.
    const bool all_merged =
        std::ranges::all_of(records, [&](const auto& r) { return is(r, features::ShardState::merged); });
    const std::vector<const SlurmJob*> live = live_jobs(folder_.extract_name());
    for (std::size_t number = 1; number <= request_.shards; ++number) {
      const auto& record = records[number - 1];
      const bool is_done =
          is(record, features::ShardState::done) || (is(record, features::ShardState::merged) && !all_merged);
      if (std::ranges::any_of(live, [&](const SlurmJob* job) { return job->task == number; }))
        launched_.alive.push_back(number);
      else if (is_done || (!rows_are_missing && (!record || is(record, features::ShardState::merged))))
        launched_.done.push_back(number);
      else
        launched_.submitted.push_back(number);
      if (is(record, features::ShardState::damaged)) launched_.damaged.push_back(number);
      merges_ |= record.has_value();
    }
    merges_ |= !launched_.alive.empty() || !launched_.submitted.empty();
  }

  // The plan first: both scripts name it.
  void write_scripts() {
    write_file_atomically(folder_.plan(), plan_);
    write_file_atomically(folder_.extract_script(), extract_script(request_, folder_));
    write_file_atomically(folder_.finish_script(), finish_script(request_, folder_, merges_));
  }

  // Recorded at once after each submission: a crash between two of them loses no job.
  void keep(const std::string& job, const std::vector<std::size_t>& shards) {
    record_.submissions.push_back({job, shards, seconds_since_1970()});
    write_launch_record(folder_, record_);
  }

  // An array of exactly the shards that are needed: `--array` on the command line wins over the script's own.
  void submit_shards() {
    if (launched_.submitted.empty()) return write_launch_record(folder_, record_);
    std::vector<std::string> numbers;
    for (const std::size_t number : launched_.submitted) numbers.push_back(std::to_string(number));
    launched_.extract_job = submit_job(folder_.extract_script(), {"--array=" + join(numbers, ",")});
    keep(launched_.extract_job, launched_.submitted);
  }

  // The job that a shard's failure left waiting for ever goes; one whose shards are all under way stays.
  void submit_finish() {
    const std::vector<const SlurmJob*> live = live_jobs(folder_.finish_name());
    const bool stays = launched_.extract_job.empty() && !live.empty();
    for (const SlurmJob& job : jobs_)
      if (job.name == folder_.finish_name() && job.state == "PENDING" && !(stays && !job.can_never_start()))
        cancel_job(job.id);
    if (stays) {
      launched_.finish_job = live.front()->id;
      return;
    }
    std::error_code error;
    // Before the job is submitted, lest an old exit code be taken for the new job's.
    std::filesystem::remove(folder_.finished(), error);
    launched_.finish_job = submit_job(folder_.finish_script(), dependency(live));
    launched_.finish_is_new = true;
    keep(launched_.finish_job, {});
  }

  // Slurm's condition for the final job.
  std::vector<std::string> dependency(const std::vector<const SlurmJob*>& finishing) const {
    std::string after;
    if (!launched_.extract_job.empty()) after += ":" + launched_.extract_job;
    for (const SlurmJob* job : live_jobs(folder_.extract_name())) after += ":" + job->id;
    // The final job needs every shard's success, but of an earlier final job only its end:
    // both would write to the same results.
    if (!after.empty()) after = "afterok" + after;
    for (const SlurmJob* job : finishing)
      if (job->is_running()) after += fmt::format("{}afterany:{}", after.empty() ? "" : ",", job->id);
    return after.empty() ? std::vector<std::string>{} : std::vector<std::string>{"--dependency=" + after};
  }

  const LaunchRequest& request_;
  const Context& context_;
  const JobFolder folder_;
  const std::string plan_, plan_hash_;
  std::vector<SlurmJob> jobs_;
  LaunchRecord record_;
  Launched launched_;
  bool merges_ = false;
};

}  // namespace

Launched launch(const LaunchRequest& request, const Context& context) { return Launch(request, context).run(); }

LaunchPreview preview_launch(const LaunchRequest& request) {
  const JobFolder folder(request.run.out);
  return {extract_script(request, folder), finish_script(request, folder, true)};
}

}  // namespace vise::experiments
