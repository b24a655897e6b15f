// Noticing that the kernel has killed a process of a container for want of memory.
#pragma once

#include "launcher/cgroup_files.h"
#include "sys/result.h"
#include "sys/unique_fd.h"

namespace tsrunc::launcher {

// v2: the count "oom_kill" of memory.events (cgroup-v2.rst), whose changes poll(2) shows as POLLPRI.
// v1: an eventfd that is registered with memory.oom_control by cgroup.event_control (memory.rst §10).
class OomWatch {
 public:
  // Without a memory cgroup there is nothing to watch, and fd() is -1.
  [[nodiscard]] sys::Failure open(const CgroupDirectories& cgroups);

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  [[nodiscard]] short events() const noexcept { return wanted_; }

  // Whether there was a kill since the last call; called when poll(2) reports the descriptor, and at the end.
  [[nodiscard]] bool happened();

 private:
  [[nodiscard]] sys::Failure open_v1(const char* directory);
  [[nodiscard]] uint64_t kills() const;

  sys::UniqueFd fd_;
  sys::UniqueFd control_;  // v1: memory.oom_control
  short wanted_ = 0;
  uint64_t seen_ = 0;
};

}  // namespace tsrunc::launcher
