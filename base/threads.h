// The thread budget and the two ways work is spread over it.
//
//   parallel_for(threads, n, [&](std::size_t i) { ... });   // each i once, any order; the first exception is rethrown
//   BoundedQueue<Batch> queue(4);                            // producers block when it is full, consumers when empty
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>

namespace vise {

// Cores this process may run on (its CPU affinity), at least 1.
int available_cores();

// Runs body(i) for i in [0, n) on at most `threads` threads, the caller's among them. Items are taken one at a time, so
// uneven ones balance. After an exception no new item is begun; the one of the lowest i is rethrown.
void parallel_for(int threads, std::size_t n, const std::function<void(std::size_t)>& body);

// A queue of limited length between threads. close() ends it: push() then returns false, pop() drains what is left.
template <typename T>
class BoundedQueue {
 public:
  explicit BoundedQueue(std::size_t capacity) : capacity_(capacity) {}

  bool push(T value) {
    std::unique_lock lock(mutex_);
    space_.wait(lock, [&] { return closed_ || items_.size() < capacity_; });
    if (closed_) return false;
    items_.push_back(std::move(value));
    filled_.notify_one();
    return true;
  }

  std::optional<T> pop() {
    std::unique_lock lock(mutex_);
    filled_.wait(lock, [&] { return closed_ || !items_.empty(); });
    if (items_.empty()) return std::nullopt;
    T value = std::move(items_.front());
    items_.pop_front();
    space_.notify_one();
    return value;
  }

  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    space_.notify_all();
    filled_.notify_all();
  }

 private:
  const std::size_t capacity_;
  std::mutex mutex_;
  std::condition_variable space_, filled_;
  std::deque<T> items_;
  bool closed_ = false;
};

}  // namespace vise
