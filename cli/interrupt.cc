#include "cli/interrupt.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <thread>

#include "base/file.h"

namespace vise::cli {
namespace {

// Where a signal's handler says which one came; the one thing that a handler can be given is a variable of the program.
int to_watcher = -1;

void tell_watcher(int signal) {
  // A handler runs in the middle of any code, and that code may be about to look at errno. Only
  // async-signal-safe calls are allowed here, which write() is.
  const int code = errno;
  const auto which = static_cast<unsigned char>(signal);
  if (::write(to_watcher, &which, 1) < 0) _exit(130);
  errno = code;
}

}  // namespace

void watch_for_interrupt(std::stop_source stop) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw_errno("cannot make", "a pipe");
  to_watcher = ends[1];
  struct sigaction action {};
  action.sa_handler = tell_watcher;
  // System calls that were waiting are restarted, so that no library has to cope with EINTR.
  action.sa_flags = SA_RESTART;
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) ::sigaction(signal, &action, nullptr);
  // A file that grows over a limit (ulimit -f) is then an error of write() like a full disk, and no partial file stays.
  ::signal(SIGXFSZ, SIG_IGN);
  std::thread([stop, from_handler = ends[0]]() mutable {
    const auto next = [&] {
      unsigned char which = 0;
      while (::read(from_handler, &which, 1) < 0 && errno == EINTR) {
      }
      return static_cast<int>(which);
    };
    // The first signal asks for a stop: work under way ends at a whole block.
    next();
    stop.request_stop();
    constexpr std::string_view words = "\nstopping after the work under way; press Ctrl-C again to stop at once\n";
    if (::write(STDERR_FILENO, words.data(), words.size()) < 0) _exit(130);
    // Engines send theirs more than once; only a further Ctrl-C ends the process at once.
    while (next() != SIGINT) {
    }
    _exit(130);
  }).detach();
}

}  // namespace vise::cli
