// config.md "Linux Process": scheduler and ioPriority of a process, by itself or from outside.
#pragma once

#include <sys/types.h>

#include "sys/result.h"
#include "wire/plan.h"

namespace tsrunc::engine {

// sched_setattr(2). `pid` 0: the caller. Allocates nothing.
[[nodiscard]] sys::Failure set_scheduler(pid_t pid, const wire::SetScheduler& op) noexcept;

// ioprio_set(2). `pid` 0: the caller. Allocates nothing.
[[nodiscard]] sys::Failure set_io_priority(pid_t pid, const wire::SetIoPriority& op) noexcept;

}  // namespace tsrunc::engine
