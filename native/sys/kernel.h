// System calls and constants which glibc 2.36 lacks or wraps in a way that does not suit a process after
// clone. One function is one call; EINTR is retried where the call may be repeated.
#pragma once

#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "sys/result.h"
#include "sys/unique_fd.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif
#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

namespace tsrunc::sys {

// clone3(2). In the child: 0. `args` decides all; no stack is given, so this is a fork with namespaces.
[[nodiscard]] inline long clone3(clone_args& args) noexcept {
  return ::syscall(SYS_clone3, &args, sizeof args);
}

// Why clone3 can never succeed: a filter's answer comes before the kernel looks at the arguments, which are
// too few here (EINVAL).
[[nodiscard]] inline int clone3_denial() noexcept {
  return ::syscall(SYS_clone3, nullptr, 0) < 0 && errno != EINVAL ? errno : 0;
}

// openat2(2). EAGAIN means that a rename raced with "..": it is tried again a few times.
[[nodiscard]] Result<UniqueFd> openat2(int dir, const char* path, uint64_t flags, uint64_t resolve,
                                       uint64_t mode = 0) noexcept;

// open(2) of a path of the host; O_CLOEXEC is added.
[[nodiscard]] Result<UniqueFd> open_host(const char* path, int flags, mode_t mode = 0) noexcept;

[[nodiscard]] inline int pivot_root(const char* new_root, const char* put_old) noexcept {
  return static_cast<int>(::syscall(SYS_pivot_root, new_root, put_old));
}

// Identities by the raw calls: glibc's broadcast to threads that do not exist here.
[[nodiscard]] inline int setresuid_raw(uid_t id) noexcept {
  return static_cast<int>(::syscall(SYS_setresuid, id, id, id));
}
[[nodiscard]] inline int setresgid_raw(gid_t id) noexcept {
  return static_cast<int>(::syscall(SYS_setresgid, id, id, id));
}
[[nodiscard]] inline int setgroups_raw(size_t count, const gid_t* groups) noexcept {
  return static_cast<int>(::syscall(SYS_setgroups, count, groups));
}

[[nodiscard]] inline int pidfd_open_raw(pid_t pid, unsigned flags) noexcept {
  return static_cast<int>(::syscall(SYS_pidfd_open, pid, flags));
}
[[nodiscard]] inline int pidfd_send_signal_raw(int pidfd, int signal) noexcept {
  return static_cast<int>(::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0));
}

// close_range(2), Linux 5.11 with CLOSE_RANGE_CLOEXEC. An outer container's filter may refuse it: what was to
// be closed is open then, so nobody may go on as if it had succeeded.
[[nodiscard]] Failure close_range(unsigned first, unsigned last, unsigned flags) noexcept;

// Writes all of it, or says why not. A short write of a kernel file is an error of its own: EIO.
[[nodiscard]] Failure write_once(int fd, const void* data, size_t size, const char* path) noexcept;
[[nodiscard]] Failure write_once_at(int fd, const void* data, size_t size, off_t offset,
                                    const char* path) noexcept;

// Opens an existing file for writing and writes `text` at once.
[[nodiscard]] Failure write_file(int dir, const char* path, const char* text, size_t size) noexcept;

// A write to a pipe whose reader was killed is an error (EPIPE), not the end of this process. By a handler,
// not SIG_IGN: execve(2) resets the one and would hand on the other.
void survive_broken_pipes() noexcept;

// Makes every signal's disposition the default and blocks none.
void reset_signals() noexcept;

// The signals of this process whose disposition is not the default, bit N-1 is signal N: one file of proc(5)
// instead of sixty system calls, for a process whose /proc is the host's. All of them where it does not tell.
[[nodiscard]] uint64_t changed_signals() noexcept;

// The same as reset_signals() for these alone: a child has its parent's dispositions.
[[nodiscard]] Failure reset_signals(uint64_t changed) noexcept;

}  // namespace tsrunc::sys
