#include "base/threads.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace vise {

int available_cores() {
  // The affinity mask is what Slurm, taskset and a container's cpuset restrict; the machine's number of
  // cores would start too many threads there. It is not what a CPU quota restricts.
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1u, std::thread::hardware_concurrency());
}

void parallel_for(int threads, std::size_t n, const std::function<void(std::size_t)>& body) {
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  std::mutex mutex;
  std::exception_ptr error;
  std::size_t error_at = 0;
  // Items are handed out in ascending order, so when item i fails every lower one has been begun, and each of
  // them still gets to report its own error: the lowest failing item is the same whatever the threads did.
  const auto work = [&] {
    for (std::size_t i; !failed && (i = next++) < n;) {
      try {
        body(i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!error || i < error_at) {
          error = std::current_exception();
          error_at = i;
        }
        failed = true;
      }
    }
  };
  {
    std::vector<std::jthread> pool;
    // The caller works too: one item or one thread starts no thread at all.
    const std::size_t extra = std::min<std::size_t>(static_cast<std::size_t>(std::max(threads, 1)), n) - (n > 0);
    for (std::size_t t = 0; t < extra; ++t) pool.emplace_back(work);
    work();
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace vise
