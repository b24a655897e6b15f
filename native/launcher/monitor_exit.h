// How a process that had a monitor has ended: the file `exit` in the monitor's directory, one line of JSON.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "sys/result.h"

namespace tsrunc::launcher {

inline constexpr size_t kLongestExitLine = 512;

struct ExitRecord {
  pid_t pid = 0;
  int code = -1;      // -1: a signal has ended it
  int signal = 0;     // 0: none
  bool oom = false;   // the kernel killed something in its cgroup for want of memory
  uint64_t lost = 0;  // bytes of output that could not be written anywhere
  char time[40] = {};

  // As a shell tells it.
  [[nodiscard]] int status() const noexcept { return code >= 0 ? code : 128 + signal; }
};

// The line with its newline into `out`; its length.
[[nodiscard]] size_t write_exit_line(const ExitRecord& record, char (&out)[kLongestExitLine]) noexcept;

// Makes the file, durably. It is there as a whole, or not at all.
[[nodiscard]] sys::Failure save_exit(int directory, const char* line, size_t size) noexcept;
// ENOENT: there is none. EBADMSG: it is damaged.
[[nodiscard]] sys::Failure load_exit(int directory, ExitRecord& out, char (&line)[kLongestExitLine]) noexcept;

// The same of a line that has come from a monitor; `line` ends with NUL.
[[nodiscard]] sys::Failure parse_exit(const char* line, size_t size, ExitRecord& out) noexcept;

// The number in the line "oom_kill N" of `fd`; `otherwise` where it cannot be read.
[[nodiscard]] uint64_t count_oom_kills(int fd, uint64_t otherwise) noexcept;

}  // namespace tsrunc::launcher
