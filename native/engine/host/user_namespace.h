// A process that only holds a user namespace, for as long as somebody needs its maps.
#pragma once

#include <sys/types.h>

#include "sys/result.h"
#include "sys/unique_fd.h"
#include "wire/decoder.h"

namespace tsrunc::engine {

// Killed and reaped when it goes out of scope. It ends by itself when tsrunc does.
class NamespaceHolder {
 public:
  NamespaceHolder() noexcept = default;
  NamespaceHolder(const NamespaceHolder&) = delete;
  NamespaceHolder& operator=(const NamespaceHolder&) = delete;
  ~NamespaceHolder();

  // In a new user namespace, without maps.
  [[nodiscard]] sys::Failure make() noexcept;

  // In the one that `fd` refers to. setns(2).
  [[nodiscard]] sys::Failure join(int fd, const char* path) noexcept;

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }

 private:
  [[nodiscard]] sys::Failure start(uint64_t flags, int join_fd) noexcept;

  pid_t pid_ = 0;
  sys::UniqueFd pipe_;
};

// The user namespace of a process: /proc/PID/ns/user.
[[nodiscard]] sys::Result<sys::UniqueFd> user_namespace_of(pid_t pid) noexcept;

// A user namespace by its path. EINVAL: it is none, with the words in `detail`.
[[nodiscard]] sys::Result<sys::UniqueFd> open_user_namespace(const char* path) noexcept;

// Writes /proc/PID/`name`, one of uid_map, gid_map and setgroups.
[[nodiscard]] sys::Failure write_map(pid_t pid, const char* name, const wire::Str& text) noexcept;

}  // namespace tsrunc::engine
