#include "experiments/launcher/run_status.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <numeric>

#include "base/error.h"
#include "base/text.h"
#include "experiments/launcher/slurm.h"

namespace vise::experiments {
namespace {

constexpr std::array<std::string_view, 4> kNames{"waiting", "running", "done", "failed"};

std::int64_t seconds_since_1970() { return std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()); }

class Reader {
 public:
  explicit Reader(const Path& out) : folder_(out) {
    const std::optional<LaunchRecord> record = read_launch_record(folder_);
    if (!record)
      throw Error(ErrorKind::missing, fmt::format("{} has no jobs", folder_.out().string()),
                  "name the --out of a run that was started with --launcher slurm");
    record_ = *record;
  }

  // Slurm first, since a shard's state combines what its store says with what the queue says.
  RunStatus read() {
    ask_slurm();
    read_exit_code();
    bool all_known = true;
    for (std::size_t number = 1; number <= record_.shards; ++number) add_shard(number, all_known);
    status_.finish = status_of(0, status_.exit_code.has_value());
    add_time_left(all_known);
    return std::move(status_);
  }

 private:
  // Squeue forgets a job some minutes after its end; accounts, where they are kept, don't.
  void ask_slurm() {
    const std::vector<std::string> names{folder_.extract_name(), folder_.finish_name()};
    try {
      jobs_ = jobs_named(names);
      const std::int64_t since = record_.submissions.empty() ? 0 : record_.submissions.front().at;
      for (SlurmJob& job : jobs_in_accounts(names, since))
        if (std::ranges::none_of(jobs_, [&](const SlurmJob& known) { return known.id == job.id; }))
          jobs_.push_back(std::move(job));
    } catch (const Error& e) {
      if (e.kind() != ErrorKind::system && e.kind() != ErrorKind::missing) throw;
      // A login node without Slurm's commands, or a controller that is down, is no reason
      // not to show what the stores say.
      status_.slurm_answers = false;
    }
  }

  // A file that holds no number, as one under way to be written, counts as none.
  void read_exit_code() {
    std::error_code error;
    std::int64_t code = 0;
    if (std::filesystem::exists(folder_.finished(), error) &&
        parse_int(trim(read_text_file(folder_.finished(), 4096)), code))
      status_.exit_code = static_cast<int>(code);
  }

  // The one that counts: the last submitted, by its number; of a requeued job there is one entry.
  const SlurmJob* job_of(std::size_t task) const {
    const std::string name = task == 0 ? folder_.finish_name() : folder_.extract_name();
    const SlurmJob* latest = nullptr;
    std::int64_t latest_number = -1;
    for (const SlurmJob& job : jobs_) {
      if (job.name != name || job.task != task) continue;
      std::int64_t number = 0;
      if (!parse_int(job.id.substr(0, job.id.find('_')), number) || number <= latest_number) continue;
      latest = &job;
      latest_number = number;
    }
    return latest;
  }

  // The job that a shard was last submitted in, "12_3", or the last final job, "12"; empty where there was none.
  std::string last_submission(std::size_t task) const {
    for (auto each = record_.submissions.rbegin(); each != record_.submissions.rend(); ++each) {
      if (task == 0 && each->shards.empty()) return each->job;
      if (task > 0 && std::ranges::count(each->shards, task) > 0) return fmt::format("{}_{}", each->job, task);
    }
    return {};
  }

  // In this order: what is done by its own record, what lives in the queue, what Slurm saw end, and what Slurm no
  // longer knows although it was submitted.
  JobStatus status_of(std::size_t task, bool is_done) const {
    JobStatus status;
    status.job = last_submission(task);
    if (!status.job.empty())
      status.log = folder_.logs() / fmt::format("{}-{}.log", task == 0 ? "finish" : "extract", status.job);
    const SlurmJob* const job = job_of(task);
    if (is_done) {
      status.state = JobState::done;
    } else if (job && job->is_live() && !job->can_never_start()) {
      status.state = job->is_running() ? JobState::running : JobState::waiting;
      status.reason = job->reason == "None" ? "" : job->reason;
    } else if (job) {
      status.state = JobState::failed;
      status.reason = lower(job->state) + (job->reason == "None" ? "" : ", " + job->reason);
    } else if (!status_.slurm_answers) {
      status.state = JobState::waiting;
      status.reason = "Slurm doesn't answer";
    } else if (!status.job.empty()) {
      status.state = JobState::failed;
      status.reason = "Slurm doesn't know its job any more";
    }
    return status;
  }

  // Rows kept and to be kept: from the record once the shard is done, else counted in its store.
  void add_shard(std::size_t number, bool& all_known) {
    const Path store = folder_.store({number, record_.shards});
    std::optional<features::ShardRecord> record = features::read_shard_record(store);
    // A record of an earlier plan says nothing about this one.
    if (record && record->plan != record_.plan) record.reset();
    ShardStatus shard;
    shard.number = number;
    shard.merged = record && record->state == features::ShardState::merged;
    // A shard whose rows were all cached was never submitted and is done.
    const bool was_needed = record || !last_submission(number).empty();
    shard.job =
        status_of(number, shard.merged || (record && record->state == features::ShardState::done) || !was_needed);
    if (record && record->state == features::ShardState::damaged && shard.job.state == JobState::failed)
      shard.job.reason = "the merge found damaged blocks, and dropped them";
    if (record) {
      const std::map<std::string, std::size_t> kept = record->rows.empty() ? features::count_kept(store) : record->rows;
      for (const auto& [key, rows] : kept) shard.rows += rows;
      shard.of = shard.job.state == JobState::done ? shard.rows : std::max(record->to_compute, shard.rows);
    }
    if (shard.job.state == JobState::running || shard.job.state == JobState::waiting)
      all_known &= add_rate(shard, record);
    status_.shards.push_back(std::move(shard));
  }

  // Whether what is left of the shard is known.
  bool add_rate(const ShardStatus& shard, const std::optional<features::ShardRecord>& record) {
    if (!record) return false;
    left_ += static_cast<double>(shard.of - shard.rows);
    const auto seconds = static_cast<double>(seconds_since_1970() - record->started);
    if (shard.job.state != JobState::running || shard.rows <= record->kept_at_start || seconds <= 0) return true;
    // Rows of this life of the job only: what it found kept when it started took it no time.
    const double rate = static_cast<double>(shard.rows - record->kept_at_start) / seconds;
    rate_ += rate;
    slowest_ = std::max(slowest_, static_cast<double>(shard.of - shard.rows) / rate);
    return true;
  }

  // What is left at the rate of all that run now, and not before the slowest of them. A shard that never started has as
  // much to do as the others on average.
  void add_time_left(bool all_known) {
    if (rate_ <= 0) return;
    if (!all_known) {
      const auto known = std::ranges::count_if(status_.shards, [](const ShardStatus& s) { return s.of > 0; });
      left_ += static_cast<double>(of_known()) / static_cast<double>(known) *
               static_cast<double>(static_cast<std::ptrdiff_t>(status_.shards.size()) - known);
    }
    status_.seconds_left = std::max(left_ / rate_, slowest_);
  }

  std::size_t of_known() const { return status_.of(); }

  const JobFolder folder_;
  LaunchRecord record_;
  std::vector<SlurmJob> jobs_;
  RunStatus status_;
  double left_ = 0, rate_ = 0, slowest_ = 0;
};

}  // namespace

std::string_view job_state_name(JobState state) { return kNames[static_cast<std::size_t>(state)]; }

std::size_t RunStatus::count(JobState state) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(shards, [&](const ShardStatus& shard) { return shard.job.state == state; }));
}

std::size_t RunStatus::rows() const {
  return std::accumulate(shards.begin(), shards.end(), std::size_t{0},
                         [](std::size_t sum, const ShardStatus& shard) { return sum + shard.rows; });
}

std::size_t RunStatus::of() const {
  return std::accumulate(shards.begin(), shards.end(), std::size_t{0},
                         [](std::size_t sum, const ShardStatus& shard) { return sum + shard.of; });
}

bool RunStatus::is_over() const {
  const auto is_under_way = [](const JobStatus& job) {
    return job.state == JobState::waiting || job.state == JobState::running;
  };
  return !is_under_way(finish) &&
         std::ranges::none_of(shards, [&](const auto& shard) { return is_under_way(shard.job); });
}

RunStatus run_status(const Path& out) { return Reader(out).read(); }

}  // namespace vise::experiments
