// What the workers of a pipeline do next: files, which one reader brings, and batches, which files fill on their way.
// Batches come first; which worker runs one doesn't matter, so at a run's end none waits while another has three left.
//
//   queue.push(file);                       // the reader; waits while `capacity` files are queued
//   queue.close();                          // no more files
//   while (auto job = queue.take()) {       // a worker
//     if (auto* file = std::get_if<File>(&*job)) queue.finished(process(*file));   // the batches that it filled
//     else run(std::get<Batch>(*job));
//   }
//
// When the last file is finished, `rest` is asked once for the batches that are left.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

namespace vise::features {

template <typename File, typename Batch>
class WorkQueue {
 public:
  using Job = std::variant<File, Batch>;

  WorkQueue(std::size_t capacity, std::function<std::vector<Batch>()> rest)
      : capacity_(capacity), rest_(std::move(rest)) {}

  // False after stop().
  bool push(File file) {
    std::unique_lock lock(mutex_);
    space_.wait(lock, [&] { return stopped_ || files_.size() < capacity_; });
    if (stopped_) return false;
    files_.push_back(std::move(file));
    work_.notify_one();
    return true;
  }

  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    work_.notify_all();
  }

  // After an error: nothing more is given out.
  void stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    space_.notify_all();
    work_.notify_all();
  }

  // Waits for work. Empty when there will be none. Who takes a file calls finished().
  std::optional<Job> take() {
    std::unique_lock lock(mutex_);
    work_.wait(lock, [&] { return stopped_ || !batches_.empty() || !files_.empty() || (closed_ && unfinished_ == 0); });
    if (stopped_) return std::nullopt;
    if (batches_.empty() && files_.empty()) add_rest();
    if (!batches_.empty()) {
      Job job = std::move(batches_.front());
      batches_.pop_front();
      return job;
    }
    if (files_.empty()) return std::nullopt;
    Job job = std::move(files_.front());
    files_.pop_front();
    ++unfinished_;
    space_.notify_one();
    return job;
  }

  void finished(std::vector<Batch> filled) {
    const std::lock_guard lock(mutex_);
    for (Batch& batch : filled) batches_.push_back(std::move(batch));
    --unfinished_;
    work_.notify_all();
  }

 private:
  void add_rest() {
    if (!rest_) return;
    for (Batch& batch : std::exchange(rest_, nullptr)()) batches_.push_back(std::move(batch));
    work_.notify_all();
  }

  const std::size_t capacity_;
  std::function<std::vector<Batch>()> rest_;  // empty once asked
  std::mutex mutex_;
  std::condition_variable space_, work_;
  std::deque<File> files_;
  std::deque<Batch> batches_;
  std::size_t unfinished_ = 0;  // files taken
  bool closed_ = false, stopped_ = false;
};

}  // namespace vise::features
