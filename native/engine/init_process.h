// Init seen from the host: never by a bare pid, which may be somebody else's by now.
#pragma once

#include "engine/host_context.h"
#include "engine/state_dir.h"
#include "sys/result.h"
#include "sys/unique_fd.h"

namespace tsrunc::engine {

// A pidfd of exactly this process. ESRCH: it is gone.
[[nodiscard]] sys::Result<sys::UniqueFd> open_process(const ProcessId& process) noexcept;

// SIGKILL, then waits until the process is gone, and reaps it if it is a child. ETIMEDOUT: it is still there
// after `milliseconds`; `detail` then says in which state. A process that is gone already is success.
[[nodiscard]] sys::Failure end_process(const ProcessId& process, const sys::UniqueFd& pidfd, int milliseconds,
                                       char* detail, size_t detail_size) noexcept;

// The wait alone.
[[nodiscard]] bool wait_for_exit(const sys::UniqueFd& pidfd, int milliseconds) noexcept;

}  // namespace tsrunc::engine
