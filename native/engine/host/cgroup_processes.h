// Signals to all processes of a container by its cgroups.
#pragma once

#include <sys/types.h>

#include "sys/array.h"
#include "sys/result.h"
#include "wire/plan.h"

namespace tsrunc::engine {

// Sends `signal` once to every process in the first of `paths` that is there, and beneath it. The cgroup is
// frozen meanwhile, so that no process can fork out of sight; SIGKILL on v2 goes by cgroup.kill. `sent`: how
// many got it. A container without processes or cgroups is no failure. This process itself is left out.
[[nodiscard]] sys::Failure signal_cgroups(const wire::StrList& paths, int signal, uint32_t& sent) noexcept;

// SIGKILL until no process is left in any of `paths`; v2 by cgroup.kill. ETIMEDOUT: `detail` names those that
// stay.
[[nodiscard]] sys::Failure kill_cgroups(const wire::StrList& paths, int milliseconds, char* detail,
                                        size_t detail_size) noexcept;

// The processes in all of `paths` and beneath them, each once, by rising pid; this process itself is left
// out.
[[nodiscard]] sys::Failure list_processes(const wire::StrList& paths, sys::Array<pid_t>& out) noexcept;

// Thaws a container that is paused by the v1 freezer, which holds back even SIGKILL. A failure means that it
// is frozen still.
[[nodiscard]] sys::Failure thaw_freezer(const wire::Header& header) noexcept;

// Whether it is frozen all the same: by a cgroup above it, which is not the container's.
[[nodiscard]] bool is_held_by_freezer(const wire::Header& header) noexcept;
// What is said of it then.
[[nodiscard]] sys::Failure held_by_freezer(const wire::Header& header) noexcept;

}  // namespace tsrunc::engine
