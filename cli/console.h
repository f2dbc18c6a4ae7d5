// The terminal: progress with rate and ETA, notices and warnings on stderr. Results go to stdout and are no business of
// this class.
#pragma once

#include <chrono>
#include <mutex>
#include <set>
#include <string>

#include "base/log.h"

namespace vise::cli {

// Thread-safe. On a tty one line is redrawn; elsewhere a line comes every 10 seconds. The same notice or warning is
// said once.
class Console final : public Log {
 public:
  Console();
  ~Console() override;
  void info(std::string_view text) override;
  void warn(std::string_view text) override;
  void progress(std::string_view what, std::uint64_t done, std::uint64_t total) override;
  // Ends a progress line under way.
  void end_progress();

  bool quiet = false;  // --quiet: warnings only

 private:
  using Clock = std::chrono::steady_clock;
  void clear_line();

  std::mutex mutex_;
  const bool tty_;
  std::set<std::string> said_;
  std::string what_;
  Clock::time_point started_{}, shown_{};
  std::uint64_t first_ = 0;
  bool line_open_ = false;
};

// Whether stream 1 or 2 is a terminal that wants colour (NO_COLOR and TERM=dumb say no).
bool wants_colour(int stream);
// Columns of the terminal on stdout; 100 where it isn't one.
std::size_t terminal_width();

}  // namespace vise::cli
