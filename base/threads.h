// The thread budget, and how work is spread over it.
//
//   parallel_for(threads, n, [&](std::size_t i) { ... });   // each i once, any order; the first exception is rethrown
#pragma once

#include <cstddef>
#include <functional>

namespace vise {

// Cores this process may run on (its CPU affinity), at least 1.
int available_cores();

// Runs body(i) for i in [0, n) on at most `threads` threads, the caller's among them. Items are taken one at a time, so
// uneven ones balance. After an exception no new item is begun; the one of the lowest i is rethrown.
void parallel_for(int threads, std::size_t n, const std::function<void(std::size_t)>& body);

}  // namespace vise
