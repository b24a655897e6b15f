// Anonymous files that nobody can change any more: what a plan travels in, and what tsrunc runs as.
#pragma once

#include <cstddef>

#include "sys/result.h"
#include "sys/unique_fd.h"

namespace tsrunc::launcher {

// A memfd without permission to execute (MFD_NOEXEC_SEAL, Linux 6.3, where it is known). Close-on-exec, not
// sealed.
[[nodiscard]] sys::Result<sys::UniqueFd> data_memfd(const char* name);

// F_SEAL_SEAL, SHRINK, GROW and WRITE.
[[nodiscard]] sys::Failure seal(int fd);

// The bytes as a sealed memfd, positioned at its start, close-on-exec.
[[nodiscard]] sys::Result<sys::UniqueFd> sealed_bytes(const char* name, const void* data, size_t size);

// The file at `path` through a read-only overlay that is mounted nowhere, close-on-exec: a file of its own
// that leads to no directory and that nobody can write to, not even with all capabilities. It costs a fifth
// of a copy, and no memory. Invalid where the kernel, or the place of the file, does not allow it.
[[nodiscard]] sys::UniqueFd overlaid_executable(const char* path);

// Whether `fd`, which another process made, is what overlaid_executable(path) would be.
[[nodiscard]] bool is_overlaid_copy(int fd, const char* path);

// What tsrunc runs as, close-on-exec: a process in a container that reaches the runtime by /proc/PID/exe
// finds this, never the host's file (CVE-2019-5736). An overlay where it can be, otherwise a sealed copy in a
// memfd.
[[nodiscard]] sys::Result<sys::UniqueFd> sealed_executable(const char* path);

}  // namespace tsrunc::launcher
