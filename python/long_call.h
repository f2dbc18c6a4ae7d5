// A call that may take long: on a thread of its own, with the GIL released, so that other threads of Python keep
// running.
//
//   LongCall call(progress, threads);                          // a callable (what, done, total), or None
//   call.run([&](const Context& context) { features = extract_features(..., context); });
//
// Meanwhile the caller's thread looks every 50 ms whether Python has a signal for it (Ctrl-C) and hands what the work
// reports to `progress`; an exception of either asks the work to stop, waits until it has, and reaches the caller.
// Warnings become Python's (UserWarning), once the work is done. The work must not touch Python's objects.
#pragma once

#include <pybind11/pybind11.h>

#include <functional>

#include "base/log.h"

namespace vise::python {

class LongCall {
 public:
  // `threads`: 0 for all cores; Error{usage} below.
  LongCall(pybind11::object progress, int threads);
  void run(const std::function<void(const Context&)>& work) const;

 private:
  pybind11::object progress_;
  int threads_;
};

}  // namespace vise::python
