#include "cli/console.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "base/text.h"

namespace vise::cli {

namespace {

// "[########............] ", of 20 steps.
std::string bar(std::uint64_t done, std::uint64_t total) {
  constexpr std::uint64_t kSteps = 20;
  const std::uint64_t full = std::min(kSteps, done * kSteps / total);
  return fmt::format("[{}{}] ", std::string(full, '#'), std::string(kSteps - full, '.'));
}

}  // namespace

Console::Console() : tty_(::isatty(STDERR_FILENO) == 1) {}
Console::~Console() { end_progress(); }

// Removes a progress line, so that the next text begins at the left. Callers hold the mutex.
void Console::clear_line() {
  if (tty_ && line_open_) fmt::print(stderr, "\r\033[K");
  line_open_ = false;
}

void Console::info(std::string_view text) {
  const std::lock_guard lock(mutex_);
  // Several rows of a run meet the same fact, such as an assumed transform; once is enough.
  if (quiet || !said_.emplace(text).second) return;
  clear_line();
  fmt::print(stderr, "{}\n", text);
}

// Warnings are printed whether or not --quiet was given: they say what a reader of the numbers must know.
void Console::warn(std::string_view text) {
  const std::lock_guard lock(mutex_);
  if (!said_.emplace(text).second) return;
  clear_line();
  fmt::print(stderr, "{}warning:{} {}\n", wants_colour(STDERR_FILENO) ? "\033[33m" : "",
             wants_colour(STDERR_FILENO) ? "\033[0m" : "", text);
}

// Called from worker threads, for each item; most calls return after a look at the clock.
void Console::progress(std::string_view what, std::uint64_t done, std::uint64_t total) {
  const std::lock_guard lock(mutex_);
  const Clock::time_point now = Clock::now();
  // Another text is another piece of work, whose rate begins anew.
  if (what != what_) {
    clear_line();
    what_ = what;
    started_ = shown_ = now;
    // A resumed download or extraction begins above 0; counted from 0 its rate would
    // be far too high at first.
    first_ = done;
  }
  // A log file isn't redrawn: each line stays, so there are fewer of them.
  const auto pause = tty_ ? std::chrono::milliseconds(100) : std::chrono::milliseconds(10000);
  if (quiet || now - shown_ < pause) return;
  shown_ = now;
  const double seconds = std::chrono::duration<double>(now - started_).count();
  const double rate = static_cast<double>(done - first_) / seconds;
  std::string line = total > 0 ? fmt::format("{}: {}{} of {}", what, tty_ ? bar(done, total) : "", done, total)
                               : fmt::format("{}: {}", what, done);
  line += fmt::format(", {:.1f}/s", rate);
  if (total > done && rate > 0)
    line += fmt::format(", {} to go", duration_text(static_cast<double>(total - done) / rate));
  fmt::print(stderr, "{}{}{}", tty_ ? "\r\033[K" : "", line, tty_ ? "" : "\n");
  std::fflush(stderr);
  line_open_ = tty_;
}

// Before a verb prints its results: on a terminal the line would be in the middle of them.
void Console::end_progress() {
  const std::lock_guard lock(mutex_);
  clear_line();
  what_.clear();
}

// NO_COLOR as https://no-color.org has it: any text but the empty one.
bool wants_colour(int stream) {
  const char* const no_colour = std::getenv("NO_COLOR");
  const char* const terminal = std::getenv("TERM");
  return ::isatty(stream) == 1 && !(no_colour && *no_colour) && !(terminal && std::string_view(terminal) == "dumb");
}

// 100 columns where the output is no terminal: a file or a pipe has no width.
std::size_t terminal_width() {
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 100;
}

}  // namespace vise::cli
