#include "base/log.h"

#include "base/error.h"

namespace vise {

// A run warns from several threads.
void RecordingLog::warn(std::string_view text) {
  const std::lock_guard lock(mutex_);
  warnings_.emplace_back(text);
}

std::vector<std::string> RecordingLog::warnings() const {
  const std::lock_guard lock(mutex_);
  return warnings_;
}

// The message says that nothing is lost, since whoever presses Ctrl-C after hours asks exactly that.
void Context::throw_if_stopped() const {
  if (stop.stop_requested())
    throw Error(ErrorKind::interrupted, "interrupted; everything finished so far is kept",
                "run the same command again to go on");
}

}  // namespace vise
