// Children that are stopped at a chosen moment of their own work, and conditions that are waited for: a busy machine
// changes how long a test takes, never what it shows.
#pragma once

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <string>

namespace vise::test {

// Looks every `step_us` microseconds; false if it did not come true in time, which is the test's to report.
inline bool wait_for(const std::function<bool()>& holds, double seconds = 90, useconds_t step_us = 20'000) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    ::usleep(step_us);
  }
  return true;
}

inline bool has_ended(pid_t child) {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid != 0;
}

// Of all threads of a child that has not been waited for.
inline double cpu_seconds(pid_t child) {
  clockid_t clock{};
  timespec used{};
  if (::clock_getcpuclockid(child, &clock) != 0 || ::clock_gettime(clock, &used) != 0) return 0;
  return static_cast<double>(used.tv_sec) + 1e-9 * static_cast<double>(used.tv_nsec);
}

// The processor time that a child takes for all of its work; it is waited for. Beside busy neighbours the same work
// takes up to twice as much, so kills are aimed at the first seven tenths of it.
inline double cpu_seconds_until_the_end_of(pid_t child) {
  rusage used{};
  int status = 0;
  ::wait4(child, &status, 0, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

// Of all children that were waited for.
inline double cpu_seconds_of_children() {
  rusage used{};
  ::getrusage(RUSAGE_CHILDREN, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

// Returns once the child has used this much processor time, or has ended.
inline void let_work(pid_t child, double seconds) {
  while (!has_ended(child) && cpu_seconds(child) < seconds) ::usleep(50);
}

// Whether the signal waits in a process that is stopped, and so will be the first thing that it sees.
inline bool is_pending(pid_t process, int signal) {
  std::ifstream file("/proc/" + std::to_string(process) + "/status");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("ShdPnd:") && (std::stoull(line.substr(7), nullptr, 16) >> (signal - 1) & 1)) return true;
  return false;
}

// VISE_KILL_ROUNDS=100 for the long form of the tests that kill at random moments.
inline int kill_rounds(int usual) {
  const char* const given = std::getenv("VISE_KILL_ROUNDS");
  return given ? std::atoi(given) : usual;
}

}  // namespace vise::test
