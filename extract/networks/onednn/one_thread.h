// One thread computes a trunk; oneDNN asks OpenMP when a primitive is made and when it runs.
#pragma once

#include <omp.h>

namespace vise::networks {

// While it lives, on this thread; what was set before is put back.
class OneThread {
 public:
  OneThread() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
  ~OneThread() { omp_set_num_threads(before_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

}  // namespace vise::networks
