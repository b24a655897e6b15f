// The call of tsrunc whose child becomes a monitor, as long as it waits for this child.
#pragma once

#include <sys/types.h>

#include "sys/result.h"
#include "sys/unique_fd.h"

namespace tsrunc::launcher {

class MonitorParent {
 public:
  // In the child, which is the first of a session and ends with its parent: `report`, which is close-on-exec,
  // takes one byte, the exit code. It counts once all have closed `report`, as execve(2) does; a second byte
  // takes it back. `cgroup`: a directory of v2 that the child is made in, if it can be; or -1.
  [[nodiscard]] sys::Failure fork(sys::UniqueFd& report, int cgroup);
  [[nodiscard]] bool is_child() const noexcept { return child_ == 0; }
  // Until the child has told or has ended; returns the exit code. Ends by the signal that has ended the
  // child.
  [[nodiscard]] int wait();

 private:
  pid_t child_ = -1;
  sys::UniqueFd reader_;
};

}  // namespace tsrunc::launcher
