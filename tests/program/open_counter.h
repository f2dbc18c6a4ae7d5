// What a program opens while it runs.
#pragma once

#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <vector>

#include "base/file.h"

namespace vise::test {

// Counts who opens a file, or files of a folder (listing the folder doesn't count), since construction.
class OpenCounter {
 public:
  explicit OpenCounter(const std::vector<Path>& watched) {
    for (const Path& path : watched) EXPECT_GE(::inotify_add_watch(queue_, path.c_str(), IN_OPEN), 0) << path;
  }
  ~OpenCounter() { ::close(queue_); }
  OpenCounter(const OpenCounter&) = delete;
  OpenCounter& operator=(const OpenCounter&) = delete;

  int count() const {
    alignas(inotify_event) char events[65536];
    const ssize_t bytes = ::read(queue_, events, sizeof events);
    int opened = 0;
    for (ssize_t at = 0; at < bytes;) {
      const auto* event = reinterpret_cast<const inotify_event*>(events + at);
      opened += (event->mask & IN_ISDIR) == 0;
      at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
    }
    return opened;
  }

 private:
  int queue_ = ::inotify_init1(IN_NONBLOCK);
};

}  // namespace vise::test
