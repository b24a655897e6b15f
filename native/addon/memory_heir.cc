#include "addon/memory_heir.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/unique_fd.h"

namespace tsrunc::addon {
namespace {

// The heir uses this stack after the function that started it is gone.
constexpr size_t kStackSize = 8192;
alignas(16) char stack[kStackSize];
int heirs_end = -1;

// Only system calls: the C library's state is that of the thread that it shares everything with.
int inherit(void*) {
  const auto end = static_cast<unsigned>(heirs_end);
  // With the writing end open here the reading below would wait for itself.
  if ((end > 0 && ::syscall(SYS_close_range, 0U, end - 1, 0U) < 0) ||
      ::syscall(SYS_close_range, end + 1, ~0U, 0U) < 0) {
    ::syscall(SYS_exit, 1);
  }
  // The other end is closed by execve, after it has left this memory (fs/exec.c, begin_new_exec).
  char nothing = 0;
  (void)::syscall(SYS_read, end, &nothing, 1);
  ::syscall(SYS_exit, 0);
  return 0;
}

}  // namespace

pid_t start_heir() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return 0;
  }
  const sys::UniqueFd read_end(ends[0]);
  heirs_end = ends[0];
  const pid_t pid = ::clone(inherit, stack + kStackSize, CLONE_VM, nullptr);
  if (pid < 0) {
    (void)::close(ends[1]);
    return 0;
  }
  return pid;
}

}  // namespace tsrunc::addon
