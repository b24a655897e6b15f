// Waiting for a process on its way to its program.
#pragma once

#include "engine/failure_record.h"
#include "engine/host_context.h"
#include "sys/result.h"

namespace tsrunc::engine {

// Waits until `fd` can be read or is at its end. exec: or until that can no longer be, because the container
// has ended, or stands still while nobody asked to wait for that. `agent`: the socket of a seccomp agent that
// may hold the process up, which is given some seconds; without one start returns at once. create: or until
// init has stood still in a frozen cgroup for some seconds.
[[nodiscard]] sys::Failure await_readable(HostContext& context, int fd, const char* agent = nullptr);

// Reads from `result`, the other end of init's exec_result, until its program runs or could not be executed.
[[nodiscard]] bool await_exec(HostContext& context, int result, FailureRecord& why);

}  // namespace tsrunc::engine
