#include "python/long_call.h"

#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "base/error.h"
#include "base/threads.h"

namespace vise::python {
namespace {

namespace py = pybind11;

constexpr std::chrono::milliseconds kLook{50};

// What the work tells, kept until the caller's thread hands it on. Of progress the latest a kind of work.
class Told final : public Log {
 public:
  void info(std::string_view) override {}
  void warn(std::string_view text) override {
    const std::lock_guard lock(mutex_);
    warnings_.emplace_back(text);
  }
  void progress(std::string_view what, std::uint64_t done, std::uint64_t total) override {
    const std::lock_guard lock(mutex_);
    // Thousands of reports may come between two looks; only the latest is worth calling Python for.
    progress_.insert_or_assign(std::string(what), std::pair(done, total));
  }

  // The GIL is held; throws what the callable throws.
  void hand_progress_to(const py::object& callable) {
    std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> news;
    {
      const std::lock_guard lock(mutex_);
      // The callable runs without the lock: it may take long, and workers must not wait for it.
      news.swap(progress_);
    }
    if (callable.is_none()) return;
    for (const auto& [what, counts] : news) callable(what, counts.first, counts.second);
  }
  void hand_warnings_on() const {
    for (const std::string& text : warnings_)
      if (PyErr_WarnEx(PyExc_UserWarning, text.c_str(), 2) != 0) throw py::error_already_set();
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> warnings_;
  std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> progress_;
};

// The work's thread, and when it is done.
class Work {
 public:
  Work(const std::function<void(const Context&)>& work, const Context& context)
      : thread_([this, &work, &context] {
          try {
            work(context);
          } catch (...) {
            failure_ = std::current_exception();
          }
          const std::lock_guard lock(mutex_);
          done_ = true;
          changed_.notify_all();
        }) {}

  // Whether the work is done; waits for one look at most.
  bool wait() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kLook, [this] { return done_; });
  }
  void finish() {
    thread_.join();
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;
  std::exception_ptr failure_;
  // Declared last: it uses the members above, which must be there when it starts.
  std::thread thread_;
};

}  // namespace

LongCall::LongCall(py::object progress, int threads)
    : progress_(std::move(progress)), threads_(threads == 0 ? available_cores() : threads) {
  if (threads < 0 || threads > 4096)
    throw Error(ErrorKind::usage, fmt::format("threads: {}: 1 to 4096, or 0 for all cores", threads));
}

void LongCall::run(const std::function<void(const Context&)>& work) const {
  Told told;
  // The work is asked to stop, never killed: what it has under way ends at a whole block, as in the program.
  std::stop_source stop;
  const Context context{told, stop.get_token(), threads_};
  std::optional<py::error_already_set> thrown;  // by Python, while the work went on
  Work running(work, context);
  for (bool done = false; !done;) {
    {
      const py::gil_scoped_release released;
      done = running.wait();
    }
    // After an exception no more of Python is run; only the end of the work is waited for.
    if (thrown) continue;
    try {
      if (PyErr_CheckSignals() != 0) throw py::error_already_set();
      told.hand_progress_to(progress_);
    } catch (const py::error_already_set& e) {
      thrown.emplace(e);
      stop.request_stop();
    }
  }
  try {
    running.finish();
  } catch (const Error& e) {
    // "Interrupted" is then the answer to our own request to stop; what Python threw is the cause.
    if (!thrown || e.kind() != ErrorKind::interrupted) throw;
  }
  if (thrown) throw py::error_already_set(*thrown);
  told.hand_warnings_on();
}

}  // namespace vise::python
