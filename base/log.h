// What the program tells people while it works. Rooms below cli/ never print: they are handed a Log.
//
// `Silent` drops everything (tests, library users). cli/ has the one that writes to stderr, with progress bars on a
// tty.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace vise {

// Thread-safe.
class Log {
 public:
  virtual ~Log() = default;
  virtual void info(std::string_view text) = 0;
  virtual void warn(std::string_view text) = 0;
  // `done` of `total` units of `what` ("extracting resnet50: images"); total 0 = unknown. Called often: cheap or
  // throttled.
  virtual void progress(std::string_view what, std::uint64_t done, std::uint64_t total) = 0;
};

class Silent final : public Log {
 public:
  void info(std::string_view) override {}
  void warn(std::string_view) override {}
  void progress(std::string_view, std::uint64_t, std::uint64_t) override {}
};

// Keeps warnings for tests and for tables' footnotes. Thread-safe.
class RecordingLog final : public Log {
 public:
  void info(std::string_view) override {}
  void warn(std::string_view text) override;
  void progress(std::string_view, std::uint64_t, std::uint64_t) override {}
  std::vector<std::string> warnings() const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> warnings_;
};

// What a long piece of work is given: where to tell, when to stop, and how many threads it may use.
struct Context {
  Log& log;
  std::stop_token stop{};
  int threads = 1;

  // Error{interrupted} once the user has asked to stop.
  void throw_if_stopped() const;
};

// Seconds since construction.
class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace vise
