// A small file system of its own, where the machine lets us mount one.
#pragma once

#include <sys/mount.h>

#include "base/file.h"

namespace vise::test {

class SmallDisk {
 public:
  explicit SmallDisk(Path at) : at_(std::move(at)) {
    std::filesystem::create_directories(at_);
    mounted_ = ::mount("tmpfs", at_.c_str(), "tmpfs", 0, "size=800k") == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(at_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  bool mounted() const { return mounted_; }
  void remount(unsigned long flags, const char* size) {
    ::mount("tmpfs", at_.c_str(), "tmpfs", MS_REMOUNT | flags, size);
  }

 private:
  Path at_;
  bool mounted_ = false;
};

#define SKIP_WITHOUT_A_DISK(disk) \
  if (!(disk).mounted()) GTEST_SKIP() << "mounting a tmpfs needs root"

}  // namespace vise::test
