// Out of the cgroups of a caller, for a process that is to outlive it: what ends a service ends, counts and
// limits all that is in its cgroups (systemd.kill(5)).
#pragma once

#include "sys/unique_fd.h"

namespace tsrunc::launcher {

// What a process of its own is in on v2. src/planner/own-cgroup.ts removes it.
inline constexpr char kOwnCgroup[] = "tsrunc-planner";

// Moves this process, which has one thread, to the roots of v1 and to a cgroup of its own on v2: beneath the
// root, or for a user beneath the cgroup that systemd gave its manager. `own`: also from v2's root, which
// belongs to nobody. To be called in the host's own cgroup namespace. False: some cgroup of the caller could
// not be left.
[[nodiscard]] bool leave_cgroups(bool own);

// The cgroup that root's leave_cgroups would move to, for clone3(2) to make a process in: a move takes a lock
// that waits for an RCU grace period. Not valid: cgroups are not v2 alone, there is nothing to leave, or it
// cannot be had; then the process is to leave by itself.
[[nodiscard]] sys::UniqueFd open_own_cgroup();

}  // namespace tsrunc::launcher
