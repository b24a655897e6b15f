// Walking a cgroup directory and what is beneath it. Paths are those of the plan and the journal, on a cgroup
// file system: the kernel makes its directories, no container puts a link there.
#pragma once

#include <sys/types.h>

#include "sys/array.h"
#include "sys/clock.h"
#include "sys/result.h"
#include "sys/unique_fd.h"

namespace tsrunc::engine {

// The directory itself. ENOENT: it is gone.
[[nodiscard]] sys::Result<sys::UniqueFd> open_cgroup(const char* path) noexcept;

// The pids in cgroup.procs of one directory. A directory that is gone, or of a threaded domain, has none.
[[nodiscard]] sys::Failure read_pids(int dir, sys::Array<pid_t>& out) noexcept;

// The pids of the directory and of everything beneath it.
[[nodiscard]] sys::Failure read_all_pids(int dir, sys::Array<pid_t>& out) noexcept;

// Calls visit(fd) for the directory and everything beneath it, the deepest first; stops at the first failure.
class CgroupVisitor {
 public:
  [[nodiscard]] virtual sys::Failure visit(int dir) = 0;

 protected:
  ~CgroupVisitor() = default;
};
[[nodiscard]] sys::Failure visit_cgroups(int dir, CgroupVisitor& visitor) noexcept;

// rmdir(2). True: it is gone. On a mount that is read-only rmdir fails before it looks whether there is
// anything.
[[nodiscard]] bool remove_directory(const char* path) noexcept;

// Removes the directory with everything beneath it. The kernel answers EBUSY for a moment after the last
// process has ended: tried again until `patience` is over; then `detail` names the processes that are still
// there.
[[nodiscard]] sys::Failure remove_cgroup(const char* path, sys::Patience patience, char* detail,
                                         size_t detail_size) noexcept;

}  // namespace tsrunc::engine
